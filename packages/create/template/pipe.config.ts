import { defineApp } from '@pipe/local'

export default defineApp({
  buckets: ['lake'],
  functions: [
    { name: 'log-generator', entry: './src/log-generator.ts', policy: './policies/log-generator.json', timeout: '30 seconds' },
    {
      name: 'log-compactor',
      entry: './src/log-compactor.ts',
      policy: './policies/log-compactor.json',
      timeout: '2 minutes',
      memoryMb: 512,
    },
  ],
  rules: [
    { name: 'each-minute', schedule: 'rate(1 minute)', function: 'log-generator' },
    { name: 'each-window', schedule: 'rate(5 minutes)', function: 'log-compactor' },
  ],
})
