import {
  type Api,
  boolean,
  defineApi,
  int16,
  int32,
  int64,
  listOf,
  listOfStructs,
  nullableListOfStructs,
  since,
  string,
} from '../schema'

export interface LogDirsTopic {
  readonly name: string
  readonly partitions: readonly number[]
}

export interface DescribeLogDirsRequest {
  /** `null` = all topics. */
  readonly topics: readonly LogDirsTopic[] | null
}

export interface LogDirPartition {
  readonly partition: number
  /** Bytes on disk of this broker's copy. */
  readonly sizeBytes: bigint
  /** How many messages the copy is behind. */
  readonly offsetLag: bigint
  /** A copy that is being moved to another directory. */
  readonly isFuture: boolean
}

export interface LogDirTopic {
  readonly name: string
  readonly partitions: readonly LogDirPartition[]
}

export interface LogDir {
  readonly errorCode: number
  readonly path: string
  readonly topics: readonly LogDirTopic[]
  /** Size of the volume, −1 when not known (before version 4). */
  readonly totalBytes: bigint
  readonly usableBytes: bigint
}

export interface DescribeLogDirsResponse {
  readonly throttleTimeMs: number
  readonly errorCode: number
  readonly logDirs: readonly LogDir[]
}

/** Each broker answers for its own disks only. */
export const describeLogDirs: Api<DescribeLogDirsRequest, DescribeLogDirsResponse> = defineApi<
  DescribeLogDirsRequest,
  DescribeLogDirsResponse
>({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 4],
  flexibleFrom: 2,
  request: { topics: nullableListOfStructs<LogDirsTopic>({ name: string, partitions: listOf(int32) }) },
  response: {
    throttleTimeMs: int32,
    errorCode: since(3, int16, 0),
    logDirs: listOfStructs<LogDir>({
      errorCode: int16,
      path: string,
      topics: listOfStructs<LogDirTopic>({
        name: string,
        partitions: listOfStructs<LogDirPartition>({ partition: int32, sizeBytes: int64, offsetLag: int64, isFuture: boolean }),
      }),
      totalBytes: since(4, int64, -1n),
      usableBytes: since(4, int64, -1n),
    }),
  },
})
