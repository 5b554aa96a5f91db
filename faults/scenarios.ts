import type { Scenario } from './scenario'
import { consumerStopped } from './scenarios/consumer-stopped'
import { coordinatorKilled } from './scenarios/coordinator-killed'
import { kafkaToS3 } from './scenarios/kafka-to-s3'
import { leaderKilled } from './scenarios/leader-killed'
import { partitionsGrown } from './scenarios/partitions-grown'
import { poison } from './scenarios/poison'
import { responseDropped } from './scenarios/response-dropped'
import { twoStopped } from './scenarios/two-stopped'

/** All scenarios, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  leaderKilled,
  twoStopped,
  coordinatorKilled,
  consumerStopped,
  partitionsGrown,
  responseDropped,
  poison,
  kafkaToS3,
]
