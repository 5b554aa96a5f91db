import { column, defineTable } from '@pipe/core'
import { choice, tag } from '../field'
import { own } from '../own-field'
import { type LogPreset, textColumns } from './log-preset'
import { hexDigits, microsecondTime, seconds, webAgents, webPaths } from './web-request'

const names = [
  'type',
  'time',
  'elb',
  'client',
  'target',
  'request_processing_time',
  'target_processing_time',
  'response_processing_time',
  'elb_status_code',
  'target_status_code',
  'received_bytes',
  'sent_bytes',
  'request',
  'user_agent',
  'ssl_cipher',
  'ssl_protocol',
  'target_group_arn',
  'trace_id',
  'domain_name',
  'chosen_cert_arn',
  'matched_rule_priority',
  'request_creation_time',
  'actions_executed',
  'redirect_url',
  'error_reason',
  'target_port_list',
  'target_status_code_list',
  'classification',
  'classification_reason',
] as const

type AlbColumn = (typeof names)[number]

const quoted: readonly AlbColumn[] = [
  'request',
  'user_agent',
  'trace_id',
  'domain_name',
  'chosen_cert_arn',
  'actions_executed',
  'redirect_url',
  'error_reason',
  'target_port_list',
  'target_status_code_list',
  'classification',
  'classification_reason',
]

/**
 * Access log entries of an Application Load Balancer: 29 cells with blanks between them, texts in quotes. The devices are load balancers
 * (`app/web/50dc6c495c0c9188`). All cells are texts, and `at` is the time of the entry, which does not stand in the line by itself.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
 * @example
 * ```ts
 * const log = defineLog({ ...albLog(), seed: 1, devices: ['app/web/50dc6c495c0c9188'], every: '100 ms' })
 * ```
 */
export function albLog(): LogPreset<AlbColumn, 'elb'> {
  const dash = tag(['-'])
  const target = own('alb-target', ({ draw }) => `10.0.${draw(2)}.${draw(30) + 10}:80`)
  return {
    table: defineTable('alb_logs', {
      columns: { at: column.timestamp(), ...textColumns(names) },
      eventTime: 'at',
      allowedLateness: '5 minutes',
    }),
    deviceColumn: 'elb',
    fields: {
      type: tag(['https']),
      time: own('alb-time', microsecondTime),
      client: own('alb-client', ({ draw }) => `198.51.100.${draw(256)}:${1024 + draw(60_000)}`),
      target,
      request_processing_time: tag(['0.000']),
      target_processing_time: seconds('alb-target-time'),
      response_processing_time: tag(['0.000']),
      elb_status_code: choice(['200', '304', '404', '502'], [90, 5, 4, 1]),
      target_status_code: choice(['200', '304', '404', '-'], [90, 5, 4, 1]),
      received_bytes: own('alb-received', ({ draw }) => String(34 + draw(900))),
      sent_bytes: own('alb-sent', ({ draw }) => String(366 + draw(40_000))),
      request: own('alb-request', ({ draw }) => {
        const method = draw(10) === 0 ? 'POST' : 'GET'
        return `${method} https://www.example.com:443${webPaths[draw(webPaths.length)]} HTTP/2.0`
      }),
      user_agent: choice(webAgents),
      ssl_cipher: tag(['ECDHE-RSA-AES128-GCM-SHA256']),
      ssl_protocol: tag(['TLSv1.2', 'TLSv1.3']),
      target_group_arn: tag(['arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/web/73e2d6bc24d8a067']),
      trace_id: own('alb-trace', ({ eventTime, draw }) => {
        return `Root=1-${Math.floor(eventTime.getTime() / 1000).toString(16)}-${hexDigits(draw, 24)}`
      }),
      domain_name: tag(['www.example.com']),
      chosen_cert_arn: tag(['arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012']),
      matched_rule_priority: choice(['0', '1', '2']),
      request_creation_time: own('alb-time', microsecondTime),
      actions_executed: tag(['forward']),
      redirect_url: dash,
      error_reason: dash,
      target_port_list: choice(['10.0.0.1:80', '10.0.1.7:80']),
      target_status_code_list: choice(['200', '304']),
      classification: dash,
      classification_reason: dash,
    },
    format: { name: 'alb', header: '', delimiter: ' ', columns: names, quoted },
  }
}
