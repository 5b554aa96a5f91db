/** One mail. */
export interface Mail {
  /** Unique a mail; servers and readers know it again by it. */
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

/**
 * How a mail ended: `sent`; `refused` for good (the address is wrong); `failed` for now, certainly not sent; `unknown`: the connection broke after the mail
 * was handed over.
 */
export type MailOutcome =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'refused' | 'failed' | 'unknown'; readonly reason: string }

/** Sends mails: by SMTP here, by SES or whatever else elsewhere. */
export interface Mailer {
  send(mail: Mail, signal: AbortSignal): Promise<MailOutcome>
}
