-- What the recorder must know before it takes a snapshot, and about the snapshot it took.

-- name: select_activity
-- Oldest running transaction of this database that could still insert a row. `now()` is the start
-- of this transaction, hence no later than the look at any session. Not restricted to sessions that
-- have an xid: one without may get it later and still stamps its rows with its own start.
-- The second transaction of one query string has, by now(), begun when the string arrived; in the
-- moment between the two only query_start tells how far back that is.
SELECT
    now() AS at,
    least(
        min(a.xact_start),
        min(a.query_start) FILTER (
            WHERE a.state = 'active' AND a.backend_type = 'client backend'
        )
    ) AS oldest,
    count(*) FILTER (WHERE a.state = 'disabled') AS hidden,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    pg_is_in_recovery() AS standby
-- The function behind pg_stat_activity: the view would also look up names that nobody asks for.
FROM pg_stat_get_activity(NULL) AS a
WHERE a.datid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
  AND a.pid <> pg_backend_pid()
  AND a.backend_type NOT IN ('autovacuum worker', 'walsender');

-- name: count_prepared
-- The function behind pg_prepared_xacts, for the same reason.
SELECT count(*) AS prepared FROM pg_prepared_xact() AS p
WHERE p.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());

-- name: select_snapshot
-- `at` precedes the snapshot, so whatever had been committed by then is in it.
-- age() counts from one transaction number that stays the same until the end of this transaction.
SELECT
    now() AS at,
    pg_snapshot_xmin(s.snapshot)::text::bigint AS xmin,
    pg_snapshot_xmax(s.snapshot)::text::bigint AS xmax,
    age(pg_snapshot_xmin(s.snapshot)::xid) AS xmin_age,
    -- What is flushed outlives a crash, so on one server this never goes back.
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
          ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint AS lsn,
    (SELECT a.backend_start FROM pg_stat_get_activity(pg_backend_pid()) AS a) AS backend_start,
    clock_timestamp() AS clock
FROM (SELECT pg_current_snapshot() AS snapshot) AS s;

-- name: select_clock
SELECT clock_timestamp() AS clock;
