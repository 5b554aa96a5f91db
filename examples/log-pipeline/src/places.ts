/** Where everything lies: the values of the functions' environment variables. */
export const places = {
  bucket: 'lake',
  raw: 'raw/',
  compacted: 'compacted/',
  stream: 'stream/',
  results: 'results/',
  database: 'lake',
  compactedTable: 'device_logs_compacted',
} as const
