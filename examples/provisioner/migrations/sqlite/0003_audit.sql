-- What the audit is asked for: who did what, and since when.
CREATE INDEX provisioner_events_actor ON handfast_events (json_extract(body, '$.authority'), sequence);
CREATE INDEX provisioner_events_fact ON handfast_events (fact, sequence);
CREATE INDEX provisioner_events_at ON handfast_events (at);
CREATE INDEX provisioner_notices_last_at ON handfast_notices (last_at, coalesce);
