import type { IncomingMessage, ServerResponse } from 'node:http'

/** Who makes a call: the root user of the local account, or a deployed function. Found by the access key of the signature. */
export interface Principal {
  /** `root`, or the name of the function. */
  readonly name: string
  /** Default: the account of the runtime. */
  readonly account?: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** One HTTP request, already attributed to a principal. */
export interface ServiceCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly principal: Principal
  /** Unique a request; also sent as `x-amz-request-id` and `x-amzn-requestid`. */
  readonly requestId: string
}

/** One AWS service behind the shared endpoint. */
export interface Service {
  /** Name as in IAM actions: `s3`, `athena`, `events`, `lambda`. */
  readonly name: string
  /** Whether this service serves the request (by `x-amz-target`, path or, last, S3 for everything else). */
  matches(call: ServiceCall): boolean
  /** Answers it. A thrown {@link AwsError} is written in the service's own error shape by the service. */
  handle(call: ServiceCall): Promise<void>
  close?(): Promise<void>
}

/** Decides whether a principal may do something. Implemented by `iam/authorizer.ts`. */
export interface Authorizer {
  /** `off` allows everything. Default: `enforce`. */
  readonly mode?: 'enforce' | 'off'
  /**
   * Returns when the principal's policy allows `action` (`s3:PutObject`) on `resource` (an ARN), and counts the grant as used.
   *
   * @throws {@link AwsError} AccessDenied, whose message names principal, action and resource.
   */
  authorize(principal: Principal, action: string, resource: string, context?: Readonly<Record<string, string>>): void
  /** The same question without an error. */
  isAllowed(principal: Principal, action: string, resource: string, context?: Readonly<Record<string, string>>): boolean
}

/** An error with the code and status that AWS answers with. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  /** Further fields of the error body (`Key`, `AthenaErrorCode`, …). */
  readonly fields: Readonly<Record<string, string>>
  /** Further headers of the answer. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: string,
    message: string,
    status = 400,
    fields: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = 'AwsError'
    this.code = code
    this.status = status
    this.fields = fields
    this.headers = headers
  }
}

/** Account and region that the local runtime pretends to be; they stand in every ARN. */
export const localAccount = '000000000000'
export const localRegion = 'us-east-1'
