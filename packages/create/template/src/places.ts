/** Names of the lake. On AWS they come from the stack; here they stand once. */
export const places = {
  bucket: 'lake',
  raw: 's3://lake/raw/',
  compacted: 's3://lake/compacted/',
  results: 's3://lake/results/',
  database: 'lake',
  compactedTable: 'device_logs_compacted',
} as const
