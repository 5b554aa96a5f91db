import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groundTruth } from '@pipe/log-gen'
import { deviceLog } from '../src/log'
import { hour, run } from '../src/run'

void test('Athena has every readable row that the devices wrote, once', async () => {
  const truth = groundTruth(deviceLog, hour)
  const found = Object.fromEntries((await run()).map(({ device, readings }) => [device, Number(readings)]))
  const wanted = Object.fromEntries(Object.entries(truth.devices).map(([device, { rows }]) => [device, rows]))
  assert.deepEqual(found, wanted)
})
