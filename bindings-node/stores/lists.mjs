// The queries behind the lists of the SQLite store: each filter, and each page, by an index.

const COLUMNS = [
  'key',
  'version',
  'body',
  'record',
  'scope',
  'name',
  'kind',
  'status',
  'parent',
  'labels',
  'created_at',
  'wake_at',
];

/** The query for a page of records, with its values. */
export function recordsQuery(record, { after, limit, status, labels = {}, namePrefix, ...columns }) {
  const [terms, values] = [['r.record = ?'], [record]];
  const where = (term, ...given) => {
    terms.push(term);
    values.push(...given);
  };
  for (const [column, value] of Object.entries(columns)) if (value !== undefined) where(`r.${column} = ?`, value);
  if (status !== undefined) {
    const anyOf = typeof status === 'string' ? [status] : [...status];
    where(`r.status IN (${marks(anyOf)})`, ...anyOf);
  }
  let [source, leads, order] = ['handfast_records AS r', 'r', ['created_at', 'key']];
  let place = after && [after.index.createdAt, after.key];
  if (namePrefix !== undefined) {
    order = ['name', ...order];
    place &&= [after.index.name ?? '', ...place];
    const from = place && place[0] > namePrefix ? place[0] : namePrefix;
    where('r.name >= ? AND r.name < ?', from, namePrefix + LAST);
  }
  for (const [label, value] of Object.entries(labels)) {
    if (leads === 'r' && namePrefix === undefined) {
      // The list of the label leads; it has the same order.
      source = `handfast_labels AS l CROSS JOIN ${source} ON r.key = l.key`;
      leads = 'l';
      where('l.label = ? AND l.value = ?', label, value);
    } else {
      where(LABELLED, label, value);
    }
  }
  const by = order.map((column) => `${leads}.${column}`).join(', ');
  if (place) where(`(${by}) > (${marks(place)})`, ...place);
  const selected = COLUMNS.map((column) => `r.${column}`).join(', ');
  const sql = `SELECT ${selected} FROM ${source} WHERE ${terms.join(' AND ')} ORDER BY ${by} LIMIT ?`;
  return { sql, values: [...values, limit] };
}

const LABELLED = `EXISTS (SELECT 1 FROM handfast_labels AS o
  WHERE o.label = ? AND o.value = ? AND o.created_at = r.created_at AND o.key = r.key)`;

/** Sorts after every text that begins alike. */
const LAST = '\u{10ffff}';

function marks(values) {
  return values.map(() => '?').join(', ');
}
