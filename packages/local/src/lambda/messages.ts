/** Error of a function in the form that Lambda answers with. */
export interface FunctionErrorPayload {
  readonly errorType: string
  readonly errorMessage: string
  /** Stack lines; absent for errors of the sandbox (time-out, crash). */
  readonly trace?: readonly string[]
}

/** From the host to an instance. */
export interface InvokeMessage {
  readonly type: 'invoke'
  readonly requestId: string
  /** JSON text. */
  readonly event: string
  /** Real time in milliseconds at which the invocation is ended. */
  readonly deadlineMs: number
  readonly functionArn: string
}

/** From an instance to the host. `rssBytes` is the resident memory of the instance. */
export type InstanceMessage =
  | { readonly type: 'ready'; readonly rssBytes: number }
  | { readonly type: 'log'; readonly level?: string; readonly text: string }
  | { readonly type: 'result'; readonly payload: string; readonly rssBytes: number }
  | { readonly type: 'error'; readonly error: FunctionErrorPayload; readonly rssBytes: number }
  /** The instance is about to end. */
  | { readonly type: 'fatal'; readonly error: FunctionErrorPayload }
