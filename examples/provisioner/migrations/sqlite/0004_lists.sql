-- Nodes by what they are at, in the order of their list.
CREATE INDEX provisioner_nodes ON handfast_records (status, created_at, key) WHERE record = 'node';
-- What has ended, to be forgotten after its retention.
CREATE INDEX provisioner_records_ended ON handfast_records (created_at, key)
    WHERE status IN ('expired', 'revoked', 'retired', 'shutting-down', 'terminated');
