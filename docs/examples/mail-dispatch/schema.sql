-- An invented system that sends invoices by e-mail. A batch holds the invoices of one run; the old
-- mailer works through mail_outbox, the new dispatcher writes what it did to dispatch_log.

CREATE TABLE invoice_batch (
    batch_no  text PRIMARY KEY,
    issued_at timestamptz NOT NULL DEFAULT now(),
    invoices  int NOT NULL
);

CREATE TABLE mail_outbox (
    id               bigserial PRIMARY KEY,
    batch_no         text NOT NULL REFERENCES invoice_batch,
    recipient_domain text NOT NULL,
    mailbox          text NOT NULL,
    state            text NOT NULL DEFAULT 'Q' CHECK (state IN ('Q', 'SENDING', 'OK', 'BOUNCED')),
    reason           text,
    queued_at        timestamptz NOT NULL DEFAULT now(),
    touched_at       timestamptz NOT NULL DEFAULT now()
);

-- A line with no target closes its batch.
CREATE TABLE dispatch_log (
    entry   bigserial PRIMARY KEY,
    batch   text NOT NULL,
    target  text,
    phase   text NOT NULL CHECK (phase IN ('accepted', 'delivered', 'rejected', 'closed')),
    address text,
    note    text,
    at      timestamptz NOT NULL DEFAULT now()
);
