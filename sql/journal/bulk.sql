-- Stages a file of rows as the drafts of one append. See harness/journal/bulk.py.

-- name: create_written_at
-- A time in ISO 8601 whose year has four digits and is one of ours: no infinity, no BC. Without a
-- zone it is in UTC.
CREATE OR REPLACE TEMP MACRO written_at(text) AS
CASE WHEN text[5] = '-' AND NOT ends_with(text, 'BC') THEN TRY_CAST(text AS TIMESTAMPTZ) END;

-- name: create_staged
-- A line of the file is a version, which may be empty, a tab and the row as JSON. JSON text holds no
-- tab and no line feed, and the file quotes nothing, so no character has to be undone. The row is
-- parsed once for all its parts; the text itself goes into the journal as it is. A table keeps the
-- order in which it was filled, so rowid counts the lines, from a number of its own.
CREATE OR REPLACE TEMP TABLE staged AS
SELECT *, md5_number_upper(key) AS key_hash
FROM (
    SELECT
        $kind || ':' || array_to_string(keys, ',') || coalesce(':' || version, '') AS key,
        list_filter(jobs, lambda j: j IS NOT NULL)[1] AS job_id,
        places,
        coalesce(
            list_filter(list_transform(times, lambda t: written_at(t)), lambda t: t IS NOT NULL)[1],
            $otherwise
        ) AS occurred_at,
        payload
    FROM (
        SELECT version, payload, found[1:$keys] AS keys, found[$keys + 1:$jobs] AS jobs,
               found[$jobs + 1:$places] AS places, found[$places + 1:] AS times
        FROM (
            SELECT version, payload, json_extract_string(payload, $pointers::VARCHAR[]) AS found
            FROM read_csv($path, delim = '\t', quote = '', escape = '', new_line = '\n',
                          header = false, auto_detect = false, max_line_size = $longest_line,
                          columns = {'version': 'BIGINT', 'payload': 'VARCHAR'})
        )
    )
);

-- name: count_staged
SELECT count(*) AS rows, coalesce(min(rowid), 0) AS first FROM staged;

-- name: select_places
SELECT DISTINCT places FROM staged;

-- name: create_drafts
-- `directories` has one row for each list of places.
CREATE OR REPLACE TEMP VIEW drafts AS
SELECT s.rowid - getvariable('draft_first') AS ordinal, s.occurred_at, getvariable('draft_source') AS source,
       getvariable('draft_kind') AS kind, s.key, s.job_id, d.directory, s.payload, s.key_hash
FROM staged AS s
JOIN directories AS d ON d.places = s.places;
