import {
  coordinatorKind,
  type DeletedGroup,
  deleteGroups,
  describeGroups,
  type FindCoordinatorResponse,
  findCoordinator,
  heartbeat,
  type JoinGroupResponse,
  joinGroup,
  leaveGroup,
  listGroups,
  type SyncGroupResponse,
  syncGroup,
} from '@pipe/kafka-wire'
import { offsetsTopic, transactionsTopic } from '../cluster-image'
import { coordinatorPartition } from '../coordinator-log'
import { errorCode } from '../error-code'
import { ensureOffsetsTopic } from '../group/group-coordinator'
import { metadataOf } from '../group/member'
import { ensureTransactionsTopic } from '../transaction/transaction-coordinator'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'

const noBytes = Buffer.alloc(0)

/** FindCoordinator: the leader of the partition that holds the group, or the transactional id. */
export const findCoordinatorApi: ServedApi = serve(findCoordinator, (request, { broker, refusal }): FindCoordinatorResponse => {
  const none = { throttleTimeMs: 0, errorMessage: null, nodeId: -1, host: '', port: -1 }
  const refused = refusal()
  if (refused !== 0) return { ...none, errorCode: refused }
  const isGroup = request.keyType === coordinatorKind.group
  if (!isGroup && request.keyType !== coordinatorKind.transaction) return { ...none, errorCode: errorCode.invalidRequest }
  const topic = isGroup ? offsetsTopic : transactionsTopic
  if (broker.reachesController()) {
    if (isGroup) ensureOffsetsTopic(broker)
    else ensureTransactionsTopic(broker)
  }
  const count = broker.image.topics.get(topic)?.partitions.length ?? 0
  const leader = count === 0 ? -1 : (broker.partitionState(topic, coordinatorPartition(request.key, count))?.leader ?? -1)
  const node = broker.host.broker(leader)
  if (!node) return { ...none, errorCode: errorCode.coordinatorNotAvailable }
  return { ...none, errorCode: errorCode.none, nodeId: node.id, host: '127.0.0.1', port: node.port }
})

/** JoinGroup: answered when the rebalance is complete. */
export const joinGroupApi: ServedApi = serve(joinGroup, async (request, context): Promise<JoinGroupResponse> => {
  const { broker, refusal, clientId, clientHost, version } = context
  const refuse = (code: number): JoinGroupResponse => ({
    throttleTimeMs: 0,
    errorCode: code,
    generationId: -1,
    protocolType: null,
    protocolName: '',
    leader: '',
    skipAssignment: false,
    memberId: request.memberId,
    members: [],
  })
  const refused = refusal()
  if (refused !== 0) return refuse(refused)
  const { settings } = broker.host
  const { sessionTimeoutMs } = request
  const found = broker.groups.find(request.group, { create: true })
  if (!found.group) return refuse(found.errorCode)
  if (
    sessionTimeoutMs < settings.number('group.min.session.timeout.ms') ||
    sessionTimeoutMs > settings.number('group.max.session.timeout.ms')
  ) {
    return refuse(errorCode.invalidSessionTimeout)
  }
  return found.group.join(request, { clientId, clientHost, version })
})

/** The group of a member, or the code for it: a group that is not known has no members. */
function memberGroup({ broker, refusal }: RequestContext, id: string) {
  const refused = refusal()
  if (refused !== 0) return { group: undefined, errorCode: refused }
  const found = broker.groups.find(id)
  return found.errorCode === errorCode.groupIdNotFound ? { group: undefined, errorCode: errorCode.unknownMemberId } : found
}

/** SyncGroup: answered when the leader has assigned. */
export const syncGroupApi: ServedApi = serve(syncGroup, async (request, context): Promise<SyncGroupResponse> => {
  const found = memberGroup(context, request.group)
  if (found.group) return found.group.sync(request)
  return { throttleTimeMs: 0, errorCode: found.errorCode, protocolType: null, protocolName: null, assignment: noBytes }
})

/** Heartbeat. */
export const heartbeatApi: ServedApi = serve(heartbeat, (request, context) => {
  const found = memberGroup(context, request.group)
  return { throttleTimeMs: 0, errorCode: found.group ? found.group.heartbeat(request) : found.errorCode }
})

/** LeaveGroup: of one member (before version 3), or of several. */
export const leaveGroupApi: ServedApi = serve(leaveGroup, (request, context) => {
  const found = memberGroup(context, request.group)
  const one = context.version < 3 ? [{ memberId: request.memberId, groupInstanceId: null }] : request.members
  if (!found.group) {
    const isUnknown = found.errorCode === errorCode.unknownMemberId && context.version >= 3
    const members = isUnknown ? one.map((member) => ({ ...member, errorCode: errorCode.unknownMemberId })) : []
    return { throttleTimeMs: 0, errorCode: isUnknown ? errorCode.none : found.errorCode, members }
  }
  const { group } = found
  const members = one.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: group.leave({ memberId, groupInstanceId }),
  }))
  const single = context.version < 3 ? members[0]!.errorCode : errorCode.none
  return { throttleTimeMs: 0, errorCode: single, members: context.version < 3 ? [] : members }
})

/** DescribeGroups: a group that is not known is Dead. */
export const describeGroupsApi: ServedApi = serve(describeGroups, (request, { broker, refusal }) => ({
  throttleTimeMs: 0,
  groups: request.groups.map((id) => {
    const none = { group: id, state: '', protocolType: '', protocolData: '', members: [], authorizedOperations: -2147483648 }
    const refused = refusal()
    if (refused !== 0) return { ...none, errorCode: refused }
    const { group, errorCode: code } = broker.groups.find(id)
    if (!group)
      return code === errorCode.groupIdNotFound ? { ...none, errorCode: 0, state: 'Dead' } : { ...none, errorCode: code }
    const isStable = group.state === 'Stable'
    return {
      ...none,
      errorCode: errorCode.none,
      state: group.state,
      protocolType: group.protocolType,
      protocolData: isStable ? (group.protocol ?? '') : '',
      members: group.members.map((member) => ({
        memberId: member.id,
        groupInstanceId: member.instanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? metadataOf(member, group.protocol) : noBytes,
        memberAssignment: isStable ? member.assignment : noBytes,
      })),
    }
  }),
}))

/** ListGroups: those that this broker coordinates. */
export const listGroupsApi: ServedApi = serve(listGroups, (_request, { broker, refusal }) => ({
  throttleTimeMs: 0,
  errorCode: refusal(),
  groups: broker.groups.groups().map(({ id, protocolType }) => ({ group: id, protocolType })),
}))

/** DeleteGroups: with their offsets; only groups without members. */
export const deleteGroupsApi: ServedApi = serve(deleteGroups, async (request, { broker, refusal }) => {
  const results: DeletedGroup[] = []
  for (const id of request.groups) {
    const answer = (code: number) => results.push({ group: id, errorCode: code })
    const { group, errorCode: code } = broker.groups.find(id)
    if (refusal() !== 0) answer(refusal())
    else if (!group) answer(code)
    else if (group.state !== 'Empty') answer(errorCode.nonEmptyGroup)
    else {
      const kept = await broker.groups.keep(id, [
        ...group.offsets
          .entries()
          .map(({ topic, partition }) => ({ kind: 'offset' as const, group: id, topic, partition, value: undefined })),
        { kind: 'group', group: id, value: undefined },
      ])
      if (kept === 0) broker.groups.forget(id)
      answer(kept)
    }
  }
  return { throttleTimeMs: 0, results }
})
