// Error codes of the Kafka protocol: https://kafka.apache.org/protocol.html#protocol_error_codes

/** An error code of the protocol: its name, and what it means for the one who asked. */
export interface ProtocolError {
  readonly code: number
  readonly name: string
  readonly meaning: string
}

const known: Readonly<Record<number, readonly [name: string, meaning: string]>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'the broker failed in a way that it does not name'],
  1: ['OFFSET_OUT_OF_RANGE', 'the offset lies outside of what the broker keeps'],
  2: ['CORRUPT_MESSAGE', 'the checksum or the format of the batch does not hold'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'the broker knows no such topic or partition'],
  5: ['LEADER_NOT_AVAILABLE', 'the partition has no leader just now'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'the broker no longer leads the partition'],
  7: ['REQUEST_TIMED_OUT', 'the replicas did not confirm in time; the batch may stand in the log'],
  8: ['BROKER_NOT_AVAILABLE', 'the broker is not available'],
  9: ['REPLICA_NOT_AVAILABLE', 'the replica is not available'],
  10: ['MESSAGE_TOO_LARGE', 'the batch is larger than the topic allows (max.message.bytes)'],
  13: ['NETWORK_EXCEPTION', 'the broker lost a connection while answering'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'the coordinator is still loading'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'the coordinator is not available'],
  16: ['NOT_COORDINATOR', 'another broker coordinates this group or transaction'],
  17: ['INVALID_TOPIC_EXCEPTION', 'the topic name is not valid, or may not be written to'],
  18: ['RECORD_LIST_TOO_LARGE', 'the batch is larger than a segment of the log'],
  19: ['NOT_ENOUGH_REPLICAS', 'fewer replicas are in sync than min.insync.replicas asks for; nothing was written'],
  20: ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'the batch is in the log of the leader, but fewer replicas than required have it'],
  21: ['INVALID_REQUIRED_ACKS', 'the number of acknowledgements is not valid'],
  22: ['ILLEGAL_GENERATION', 'the group has moved to another generation'],
  24: ['INVALID_GROUP_ID', 'the group id is not valid'],
  25: ['UNKNOWN_MEMBER_ID', 'the group does not know this member'],
  27: ['REBALANCE_IN_PROGRESS', 'the group is rebalancing'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'this principal may not access the topic'],
  30: ['GROUP_AUTHORIZATION_FAILED', 'this principal may not use the group'],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'this principal may not do this on the cluster'],
  32: ['INVALID_TIMESTAMP', 'the timestamp lies outside of what the topic accepts'],
  35: ['UNSUPPORTED_VERSION', 'the broker does not serve this version of the request'],
  36: ['TOPIC_ALREADY_EXISTS', 'the topic exists already'],
  37: ['INVALID_PARTITIONS', 'the number of partitions is not valid'],
  38: ['INVALID_REPLICATION_FACTOR', 'the replication factor is not valid, or larger than the number of brokers'],
  39: ['INVALID_REPLICA_ASSIGNMENT', 'the replica assignment is not valid'],
  40: ['INVALID_CONFIG', 'the configuration is not valid'],
  41: ['NOT_CONTROLLER', 'another broker is the controller'],
  42: ['INVALID_REQUEST', 'the request is malformed'],
  43: ['UNSUPPORTED_FOR_MESSAGE_FORMAT', 'the message format of the topic cannot do this'],
  44: ['POLICY_VIOLATION', 'a policy of the cluster forbids it'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'the sequence number does not follow the last one of this producer id'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'the batch is in the log already'],
  47: ['INVALID_PRODUCER_EPOCH', 'a newer producer has this id'],
  48: ['INVALID_TXN_STATE', 'the transaction is not in a state for this'],
  49: ['INVALID_PRODUCER_ID_MAPPING', 'the producer id does not belong to this transactional id'],
  50: [
    'INVALID_TRANSACTION_TIMEOUT',
    'the time-out of the transaction is longer than the brokers allow (transaction.max.timeout.ms)',
  ],
  51: ['CONCURRENT_TRANSACTIONS', 'an earlier transaction of this id is still being ended'],
  53: ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'this principal may not use the transactional id'],
  56: ['KAFKA_STORAGE_ERROR', 'the disk of the broker failed'],
  59: ['UNKNOWN_PRODUCER_ID', 'the broker no longer knows the producer id'],
  60: ['REASSIGNMENT_IN_PROGRESS', 'partitions are being moved'],
  68: ['NON_EMPTY_GROUP', 'the group has members'],
  69: ['GROUP_ID_NOT_FOUND', 'there is no such group'],
  74: ['FENCED_LEADER_EPOCH', 'the leader epoch is older than the broker knows'],
  75: ['UNKNOWN_LEADER_EPOCH', 'the leader epoch is newer than the broker knows'],
  76: ['UNSUPPORTED_COMPRESSION_TYPE', 'the broker, or this version of the request, has no such compression'],
  79: ['MEMBER_ID_REQUIRED', 'the group wants the member to join again with its id'],
  80: ['PREFERRED_LEADER_NOT_AVAILABLE', 'the preferred leader is not available'],
  82: ['FENCED_INSTANCE_ID', 'another member of the group has the same instance id'],
  84: ['ELECTION_NOT_NEEDED', 'the leader is the wanted one already'],
  86: ['GROUP_SUBSCRIBED_TO_TOPIC', 'the group is subscribed to the topic'],
  87: ['INVALID_RECORD', 'the broker refused a record: a compacted topic without a key, or a timestamp out of bounds'],
  88: ['UNSTABLE_OFFSET_COMMIT', 'offsets of an open transaction stand in the way'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'the quota is used up'],
  90: ['PRODUCER_FENCED', 'a newer producer has this transactional id'],
  100: ['UNKNOWN_TOPIC_ID', 'the broker knows no topic with this id'],
  103: ['INCONSISTENT_TOPIC_ID', 'the topic was deleted and created again'],
}

/** Name and meaning of an error code; codes that are not known here keep their number. */
export function protocolError(code: number): ProtocolError {
  const [name, meaning] = known[code] ?? [`ERROR_${code}`, 'the broker answered with a code that this version does not know']
  return { code, name, meaning }
}
