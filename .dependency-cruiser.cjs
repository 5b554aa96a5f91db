// The edges of docs/architecture.md, checked by `npm run structure`.
const own = (names) => `^packages/(${names.join('|')})/`

/** Which sister packages each package's src may import. */
const edges = {
  core: [],
  events: ['core'],
  'log-gen': ['core'],
  'athena-query': ['core'],
  compactor: ['core', 'athena-query'],
  's3-lifecycle': ['core'],
  create: ['core'],
  'kafka-wire': [],
  'kafka-kit': ['core', 'kafka-wire'],
  local: ['core', 'events', 'kafka-wire'],
  testkit: ['core', 'kafka-wire', 'local'],
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(edges).map(([name, allowed]) => ({
      name: `edges-of-${name}`,
      severity: 'error',
      comment: `packages/${name}/src may import ${allowed.join(' and ') || 'no sister'}`,
      from: { path: `^packages/${name}/src/` },
      to: { path: '^packages/', pathNot: own([name, ...allowed]) },
    })),
    {
      name: 'no-deep-imports',
      severity: 'error',
      comment: 'Sister packages are imported by their public entries only.',
      // Core is below local, so its tests take the local S3 from its source instead of depending on it in a circle.
      from: { path: '^(packages/([^/]+)|examples/[^/]+|bench|faults)/', pathNot: '^packages/core/test/local-s3\\.ts$' },
      to: { path: '^packages/([^/]+)/src/', pathNot: ['^packages/$2/', '^packages/[^/]+/src/(index|internal)\\.ts$'] },
    },
    {
      name: 'src-does-not-import-tests',
      severity: 'error',
      from: { path: '/src/' },
      to: { path: '/test/' },
    },
    {
      name: 'no-unresolved',
      severity: 'error',
      comment: 'Clients that are measured beside ours are installed apart (bench/kafka/peers).',
      from: { pathNot: '^bench/(kafka/produce-|kafka-clients/)(rdkafka|platformatic)\\.ts$' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|out|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['pipe-source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
}
