import { column, defineTable } from '@pipe/core'
import { choice, tag } from '../field'
import { ip } from '../ip-field'
import { own } from '../own-field'
import { type LogPreset, textColumns } from './log-preset'
import { hexDigits, seconds, webAgents, webPaths } from './web-request'

/** The fields of the header line, in order, and the columns of the table that hold them. */
const fieldNames = {
  date: 'date',
  time: 'time',
  'x-edge-location': 'edge_location',
  'sc-bytes': 'sent_bytes',
  'c-ip': 'client_ip',
  'cs-method': 'method',
  'cs(Host)': 'host',
  'cs-uri-stem': 'uri_stem',
  'sc-status': 'status',
  'cs(Referer)': 'referer',
  'cs(User-Agent)': 'user_agent',
  'cs-uri-query': 'uri_query',
  'cs(Cookie)': 'cookie',
  'x-edge-result-type': 'result_type',
  'x-edge-request-id': 'request_id',
  'x-host-header': 'host_header',
  'cs-protocol': 'protocol',
  'cs-bytes': 'received_bytes',
  'time-taken': 'time_taken',
  'x-forwarded-for': 'forwarded_for',
  'ssl-protocol': 'ssl_protocol',
  'ssl-cipher': 'ssl_cipher',
  'x-edge-response-result-type': 'response_result_type',
  'cs-protocol-version': 'protocol_version',
  'fle-status': 'fle_status',
  'fle-encrypted-fields': 'fle_encrypted_fields',
  'c-port': 'client_port',
  'time-to-first-byte': 'time_to_first_byte',
  'x-edge-detailed-result-type': 'detailed_result_type',
  'sc-content-type': 'content_type',
  'sc-content-len': 'content_length',
  'sc-range-start': 'range_start',
  'sc-range-end': 'range_end',
} as const

type CloudFrontColumn = (typeof fieldNames)[keyof typeof fieldNames]

const names: readonly CloudFrontColumn[] = Object.values(fieldNames)

/**
 * Standard log entries (legacy) of CloudFront: 33 cells with tabs between them below two header lines. The devices are edge locations
 * (`FRA56-P4`). All cells are texts, and `at` is the time of the entry to the millisecond.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
 * @example
 * ```ts
 * const log = defineLog({ ...cloudFrontLog(), seed: 1, devices: ['FRA56-P4', 'DUB56-P1'], every: '50 ms' })
 * ```
 */
export function cloudFrontLog(): LogPreset<CloudFrontColumn, 'edge_location'> {
  const dash = tag(['-'])
  return {
    table: defineTable('cloudfront_logs', {
      columns: { at: column.timestamp(), ...textColumns(names) },
      eventTime: 'at',
      allowedLateness: '1 hour',
    }),
    deviceColumn: 'edge_location',
    fields: {
      date: own('cf-date', ({ eventTime }) => eventTime.toISOString().slice(0, 10)),
      time: own('cf-time', ({ eventTime }) => eventTime.toISOString().slice(11, 19)),
      sent_bytes: own('cf-sent', ({ draw }) => String(392 + draw(60_000))),
      client_ip: ip('192.0.2.0/24'),
      method: choice(['GET', 'HEAD', 'POST'], [95, 3, 2]),
      host: tag(['d111111abcdef8.cloudfront.net']),
      uri_stem: choice(webPaths.map((path) => path.split('?')[0] as string)),
      status: choice(['200', '304', '404', '503'], [90, 5, 4, 1]),
      referer: dash,
      user_agent: choice(webAgents.map((agent) => encodeURIComponent(agent))),
      uri_query: choice(['-', 'page=2'], [9, 1]),
      cookie: dash,
      result_type: choice(['Hit', 'Miss', 'RefreshHit', 'Error'], [80, 15, 4, 1]),
      request_id: own('cf-id', ({ draw }) => `${hexDigits(draw, 54)}==`),
      host_header: tag(['www.example.com']),
      protocol: tag(['https']),
      received_bytes: own('cf-received', ({ draw }) => String(23 + draw(900))),
      time_taken: seconds('cf-taken'),
      forwarded_for: dash,
      ssl_protocol: choice(['TLSv1.2', 'TLSv1.3']),
      ssl_cipher: tag(['ECDHE-RSA-AES128-GCM-SHA256']),
      response_result_type: choice(['Hit', 'Miss', 'RefreshHit', 'Error'], [80, 15, 4, 1]),
      protocol_version: choice(['HTTP/2.0', 'HTTP/3.0', 'HTTP/1.1']),
      fle_status: dash,
      fle_encrypted_fields: dash,
      client_port: own('cf-port', ({ draw }) => String(1024 + draw(60_000))),
      time_to_first_byte: seconds('cf-first-byte'),
      detailed_result_type: choice(['Hit', 'Miss']),
      content_type: choice(['text/html', 'application/javascript', 'image/png']),
      content_length: own('cf-length', ({ draw }) => String(draw(60_000))),
      range_start: dash,
      range_end: dash,
    },
    format: {
      name: 'cloudfront',
      header: `#Version: 1.0\n#Fields: ${Object.keys(fieldNames).join(' ')}\n`,
      delimiter: '\t',
      columns: names,
      quoted: [],
    },
  }
}
