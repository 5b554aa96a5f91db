import {
  type Api,
  boolean,
  defineApi,
  int8,
  int16,
  int32,
  listOfStructs,
  nullableListOf,
  nullableString,
  since,
  string,
} from '../schema'

export interface DescribeConfigsResource {
  /** One of {@link configResource}. */
  readonly resourceType: number
  readonly resourceName: string
  /** `null` = all. */
  readonly configNames: readonly string[] | null
}

export interface DescribeConfigsRequest {
  readonly resources: readonly DescribeConfigsResource[]
  readonly includeSynonyms: boolean
  readonly includeDocumentation: boolean
}

/** Where a value comes from: set on the topic itself, or one of the defaults behind it. */
export const configSource: { readonly topic: 1; readonly broker: 2; readonly cluster: 3; readonly file: 4; readonly default: 5 } =
  {
    topic: 1,
    broker: 2,
    cluster: 3,
    file: 4,
    default: 5,
  }

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

export interface DescribedConfig {
  readonly name: string
  /** `null` when it is secret. */
  readonly value: string | null
  readonly isReadOnly: boolean
  /** One of {@link configSource}. */
  readonly source: number
  readonly isSensitive: boolean
  readonly synonyms: readonly ConfigSynonym[]
  readonly configType: number
  readonly documentation: string | null
}

export interface DescribedResource {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly DescribedConfig[]
}

export interface DescribeConfigsResponse {
  readonly throttleTimeMs: number
  readonly results: readonly DescribedResource[]
}

/** To any broker for topics, to the broker itself for broker configs. */
export const describeConfigs: Api<DescribeConfigsRequest, DescribeConfigsResponse> = defineApi<
  DescribeConfigsRequest,
  DescribeConfigsResponse
>({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 3],
  request: {
    resources: listOfStructs<DescribeConfigsResource>({
      resourceType: int8,
      resourceName: string,
      configNames: nullableListOf(string),
    }),
    includeSynonyms: boolean,
    includeDocumentation: since(3, boolean, false),
  },
  response: {
    throttleTimeMs: int32,
    results: listOfStructs<DescribedResource>({
      errorCode: int16,
      errorMessage: nullableString,
      resourceType: int8,
      resourceName: string,
      configs: listOfStructs<DescribedConfig>({
        name: string,
        value: nullableString,
        isReadOnly: boolean,
        source: int8,
        isSensitive: boolean,
        synonyms: listOfStructs<ConfigSynonym>({ name: string, value: nullableString, source: int8 }),
        configType: since(3, int8, 0),
        documentation: since(3, nullableString, null),
      }),
    }),
  },
})
