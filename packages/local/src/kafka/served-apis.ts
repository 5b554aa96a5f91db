import { apiVersionsApi } from './api/api-versions'
import { describeLogDirsApi, electLeadersApi } from './api/cluster-admin'
import { alterConfigsApi, describeConfigsApi, incrementalAlterConfigsApi } from './api/configs'
import { deleteRecordsApi } from './api/delete-records'
import { fetchApi } from './api/fetch'
import { offsetCommitApi, offsetDeleteApi, offsetFetchApi } from './api/group-offsets'
import {
  deleteGroupsApi,
  describeGroupsApi,
  findCoordinatorApi,
  heartbeatApi,
  joinGroupApi,
  leaveGroupApi,
  listGroupsApi,
  syncGroupApi,
} from './api/groups'
import { metadataApi } from './api/metadata'
import { leaderEpochApi, listOffsetsApi } from './api/offsets'
import { produceApi } from './api/produce'
import { alterReassignmentsApi, listReassignmentsApi } from './api/reassignments'
import { saslAuthenticateApi, saslHandshakeApi } from './api/sasl'
import { createPartitionsApi, createTopicsApi, deleteTopicsApi } from './api/topics'
import { addOffsetsApi, addPartitionsApi, endTxnApi, initProducerIdApi, txnOffsetCommitApi } from './api/transactions'
import type { ServedApi } from './wire/served-api'

/** Everything that a local broker answers, by API key. */
export function servedApis(): ReadonlyMap<number, ServedApi> {
  const apis = new Map<number, ServedApi>()
  const all = [
    apiVersionsApi(() => apis.values()),
    metadataApi,
    produceApi,
    fetchApi,
    listOffsetsApi,
    leaderEpochApi,
    initProducerIdApi,
    createTopicsApi,
    deleteTopicsApi,
    createPartitionsApi,
    describeConfigsApi,
    alterConfigsApi,
    incrementalAlterConfigsApi,
    deleteRecordsApi,
    describeLogDirsApi,
    electLeadersApi,
    findCoordinatorApi,
    joinGroupApi,
    syncGroupApi,
    heartbeatApi,
    leaveGroupApi,
    describeGroupsApi,
    listGroupsApi,
    deleteGroupsApi,
    offsetCommitApi,
    offsetFetchApi,
    offsetDeleteApi,
    addPartitionsApi,
    addOffsetsApi,
    endTxnApi,
    txnOffsetCommitApi,
    alterReassignmentsApi,
    listReassignmentsApi,
    saslHandshakeApi,
    saslAuthenticateApi,
  ]
  for (const served of all.sort((one, other) => one.api.key - other.api.key)) apis.set(served.api.key, served)
  return apis
}
