import { type Api, boolean, defineApi, int8, int16, int32, listOfStructs, nullableString, string } from '../schema'

/** What a config operation does: set, delete (back to the default), append to or subtract from a list. */
export const configOperation: { readonly set: 0; readonly delete: 1; readonly append: 2; readonly subtract: 3 } = {
  set: 0,
  delete: 1,
  append: 2,
  subtract: 3,
}

/** What a config belongs to. */
export const configResource: { readonly topic: 2; readonly broker: 4 } = { topic: 2, broker: 4 }

export interface AlterableConfig {
  readonly name: string
  /** One of {@link configOperation}. */
  readonly operation: number
  readonly value: string | null
}

export interface AlterConfigsResource {
  /** One of {@link configResource}. */
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly AlterableConfig[]
}

export interface IncrementalAlterConfigsRequest {
  readonly resources: readonly AlterConfigsResource[]
  readonly validateOnly: boolean
}

export interface AlterConfigsResult {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

export interface IncrementalAlterConfigsResponse {
  readonly throttleTimeMs: number
  readonly results: readonly AlterConfigsResult[]
}

/** To the controller for topics, to the broker itself for broker configs. Leaves every config that it does not name as it is. */
export const incrementalAlterConfigs: Api<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse> = defineApi<
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse
>({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleFrom: 1,
  request: {
    resources: listOfStructs<AlterConfigsResource>({
      resourceType: int8,
      resourceName: string,
      configs: listOfStructs<AlterableConfig>({ name: string, operation: int8, value: nullableString }),
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
