
-- What a file that was made by the first schema has in its records, and not yet in columns and lists.
UPDATE handfast_records SET parent = 'package/' || json_extract(body, '$.package') WHERE record = 'node';
UPDATE handfast_records SET status = iif(json_extract(body, '$.node') IS NULL, 'gone', 'active')
WHERE record = 'subject' AND status IS NULL;
INSERT OR IGNORE INTO handfast_labels
SELECT given.key, given.value, kept.created_at, kept.key FROM handfast_records AS kept, json_each(kept.labels) AS given
WHERE kept.labels <> '{}';
