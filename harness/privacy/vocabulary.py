"""Technical words: they say nothing of a person, so a redacted text may keep them. Pure."""

from __future__ import annotations

_TEXT = """
a abort aborted aborting accepted access according acquire action actionability active add added
address admin after again aggregate ai all allowed already alter an and another any api apply
approved are argument array as assertionerror asyncio at attached attempt attempts attribute
attributeerror available awaited backend bad be because been before between body bound boundary
bounding box brain broken browser build business but button by bytes call called can cancelled
cannot captcha category cert certificate changed changes check checking chromium cipher city class
click clicked clicks client clock closed code column command comments company complete completed
concurrent configured confirmation conflict connect connected connecterror connection
connectionerror constraint contact content context control copy coroutine could country crash
crashed css current cursor customer customers data database deadlock declared decode default
denied deployment description detached detected did directories directory disabled disk dns does
dom done download dropped due duplicate during each econnrefused econnreset element elements email
empty enabled end ended endpoint enospc enotfound enter enterprise entry err errno error errors
etimedout evaluate event example exceeded exception execute executing execution exist existing
exists exit expected expired expires explicitly failed failing failure family fatal fetch field
fields file filenotfounderror fill final finish finished flow for forbidden form found frame from
function gateway get given gone goto growth guard had handle handshake has have head header
heartbeat heartbeats hidden host hostname http httperror https httpstatuserror human id
idempotency if image importerror in index indexerror indicators input insert inside intercepts
interface internal internet into invalid ioerror is it item its job jobs json kb key keyerror
keyword killed label language last late left length less lib limit line link list listing load
loading local locator locked log login logs loop lost main manual many matches mb memory message
messages method minute minutes misses missing mode model module modulenotfounderror more ms name
navigated navigating navigation negative net network never new next no node none nonetype not
nothing notimplementederror ns null number object of off offline ok old on one only open operation
option or order orders oserror other out outside page pages parameter parse paused payload peer
pending permission pgbouncer phone plan playwright playwrighterror pointer policy poll poller
polling pool pooler port possible post postal predicted prefect prepared privilege pro process
processed processing production professional profile project protocol proxy px query queue race
raised ran rate reached read readtimeout ready recaptcha received reconcile recorded recorder
recording records recovery referenceerror refuse refused reject rejected relation remote replay
replica request required reset resets resolve resolved resolving response result retry returned
rewound right role rollback root route row rows run running runtime runtimeerror s samples sandbox
save schema schemas scroll scrolling second seconds select selector self serialization server
service session set setting shadow shut signed site size skipped slot slow snapshot socket solver
some source ssl stable stale stalled start started starter starting state statement states status
step steps stop stopped strict string subject submission submissions submit submitted submitting
success successful successfully support supported sweep sweeps synchronous syntax t table takes
target targetclosederror task tcp temporary terminal terminated terms test text textarea than
thank that the their them then there these they this thread tick time timed timeout timeouterror
timeouts title tls to token too tool total transaction tried tries triggered try two type
typeerror types unable unauthorized unavailable undefined unexpected unhandled unique unknown
unreachable unreadable unsupported unsupportedprotocol until up update upload upstream url use
used user vacuum valid value valueerror values verify version view viewport violates violation
violations visible visit wait waiting wal was wasn web website were what when where which while
will window with within without word words worker workers write wrong yes you your zip
"""

WORDS = frozenset(_TEXT.split())
"""In lower case. One of them alone is never taken for a personal value."""
