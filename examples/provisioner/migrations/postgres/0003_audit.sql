-- What the audit is asked for: who did what, and since when.
-- Cut out of the text, in which only the time stands before it: PostgreSQL's own json cannot read what contains \u0000.
CREATE INDEX provisioner_events_actor ON handfast_events ((substring(body from '"authority":"([^"]*)"')), sequence);
CREATE INDEX provisioner_events_fact ON handfast_events (fact, sequence);
CREATE INDEX provisioner_events_at ON handfast_events (at);
CREATE INDEX provisioner_notices_last_at ON handfast_notices (last_at, "coalesce");
