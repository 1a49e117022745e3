-- The old mailer: each version of a row of mail_outbox is one word about one recipient.
SELECT
    seq,
    occurred_at,
    payload->>'$.batch_no' AS job_id,
    host_of(payload->>'$.recipient_domain') AS directory,
    CASE payload->>'$.state'
        WHEN 'Q' THEN 'in_flight'
        WHEN 'SENDING' THEN 'in_flight'
        WHEN 'OK' THEN 'submitted'
        WHEN 'BOUNCED' THEN 'failed'
        ELSE 'unknown'
    END AS status,
    payload->>'$.state' AS raw_status,
    payload->>'$.reason' AS error_text,
    payload->>'$.state' = 'SENDING' AS begins,
    to_json({'email': payload->>'$.mailbox'}) AS sent
FROM new_events
WHERE kind = 'mail_outbox'
