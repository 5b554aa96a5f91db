import { type Api, boolean, defineApi, int8, int16, int32, listOfStructs, nullableString, string } from '../schema'
import type { TopicConfig } from './create-topics'
import type { AlterConfigsResult } from './incremental-alter-configs'

export interface ReplacedConfigs {
  /** One of {@link configResource}. */
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly TopicConfig[]
}

export interface AlterConfigsRequest {
  readonly resources: readonly ReplacedConfigs[]
  readonly validateOnly: boolean
}

export interface AlterConfigsResponse {
  readonly throttleTimeMs: number
  readonly results: readonly AlterConfigsResult[]
}

/** Replaces all settings of a resource: what is not named goes back to its default. Deprecated in favour of {@link incrementalAlterConfigs}. */
export const alterConfigs: Api<AlterConfigsRequest, AlterConfigsResponse> = defineApi<AlterConfigsRequest, AlterConfigsResponse>({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleFrom: 2,
  request: {
    resources: listOfStructs<ReplacedConfigs>({
      resourceType: int8,
      resourceName: string,
      configs: listOfStructs<TopicConfig>({ name: string, value: nullableString }),
    }),
    validateOnly: boolean,
  },
  response: {
    throttleTimeMs: int32,
    results: listOfStructs<AlterConfigsResult>({
      errorCode: int16,
      errorMessage: nullableString,
      resourceType: int8,
      resourceName: string,
    }),
  },
})
