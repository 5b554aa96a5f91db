import { type Api, defineApi, int16, int32, listOfStructs, since, string } from '../schema'

/** Asks which versions a broker serves. */
export interface ApiVersionsRequest {
  readonly clientSoftwareName: string
  readonly clientSoftwareVersion: string
}

/** The versions of one API that a broker serves. */
export interface ApiVersionRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

export interface ApiVersionsResponse {
  readonly errorCode: number
  readonly apiKeys: readonly ApiVersionRange[]
  readonly throttleTimeMs: number
}

/** Its response header has no tagged fields in any version: the client cannot know yet what the broker speaks. */
export const apiVersions: Api<ApiVersionsRequest, ApiVersionsResponse> = defineApi<ApiVersionsRequest, ApiVersionsResponse>({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 3],
  flexibleFrom: 3,
  request: { clientSoftwareName: since(3, string, ''), clientSoftwareVersion: since(3, string, '') },
  response: {
    errorCode: int16,
    apiKeys: listOfStructs<ApiVersionRange>({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: since(1, int32, 0),
  },
})
