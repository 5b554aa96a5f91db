import { column, defineTable } from '@pipe/core'
import { choice, tag } from '../field'
import { ip } from '../ip-field'
import { own } from '../own-field'
import { type LogPreset, textColumns } from './log-preset'

/** The fields of version 2, in order, and the columns of the table that hold them. */
const fieldNames = {
  version: 'version',
  'account-id': 'account_id',
  'interface-id': 'interface_id',
  srcaddr: 'source_address',
  dstaddr: 'destination_address',
  srcport: 'source_port',
  dstport: 'destination_port',
  protocol: 'protocol',
  packets: 'packets',
  bytes: 'bytes',
  start: 'start',
  end: 'end',
  action: 'action',
  'log-status': 'log_status',
} as const

type VpcFlowColumn = (typeof fieldNames)[keyof typeof fieldNames]

const names: readonly VpcFlowColumn[] = Object.values(fieldNames)

/**
 * Flow log records of a VPC in the default format (version 2): 14 cells with blanks between them below a header line. The devices are network
 * interfaces (`eni-0123456789abcdef0`). All cells are texts; `start` is `at`, the time of the record, in seconds since 1970.
 *
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
 * @example
 * ```ts
 * const log = defineLog({ ...vpcFlowLog(), seed: 1, devices: ['eni-0123456789abcdef0'], every: '1 second' })
 * ```
 */
export function vpcFlowLog(): LogPreset<VpcFlowColumn, 'interface_id'> {
  const secondsOf = (eventTime: Date) => Math.floor(eventTime.getTime() / 1000)
  return {
    table: defineTable('vpc_flow_logs', {
      columns: { at: column.timestamp(), ...textColumns(names) },
      eventTime: 'at',
      allowedLateness: '10 minutes',
    }),
    deviceColumn: 'interface_id',
    fields: {
      version: tag(['2']),
      account_id: tag(['123456789010']),
      source_address: ip('172.31.0.0/20', { distinct: 200 }),
      destination_address: ip('172.31.16.0/20', { distinct: 20 }),
      source_port: own('vpc-source-port', ({ draw }) => String(1024 + draw(60_000))),
      destination_port: choice(['443', '22', '3389', '5432'], [90, 5, 3, 2]),
      protocol: choice(['6', '17'], [9, 1]),
      packets: own('vpc-packets', ({ draw }) => String(1 + draw(200))),
      bytes: own('vpc-bytes', ({ draw }) => String(40 + draw(200_000))),
      start: own('vpc-start', ({ eventTime }) => String(secondsOf(eventTime))),
      end: own('vpc-end', ({ eventTime, draw }) => String(secondsOf(eventTime) + draw(60))),
      action: choice(['ACCEPT', 'REJECT'], [19, 1]),
      log_status: tag(['OK']),
    },
    format: {
      name: 'vpc-flow',
      header: `${Object.keys(fieldNames).join(' ')}\n`,
      delimiter: ' ',
      columns: names,
      quoted: [],
    },
  }
}
