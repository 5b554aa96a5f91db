import {
  type AlterableConfig,
  type AlterConfigsResult,
  alterConfigs,
  configOperation,
  configResource,
  configSource,
  type DescribeConfigsResource,
  type DescribedConfig,
  type DescribedResource,
  describeConfigs,
  incrementalAlterConfigs,
} from '@pipe/kafka-wire'
import { errorCode } from '../error-code'
import { brokerSettings, type Setting, topicSettings } from '../settings'
import { problemOfSetting } from '../topic-creation'
import { type RequestContext, type ServedApi, serve } from '../wire/served-api'

/** Topic settings whose default is a setting of the brokers. */
const behind: ReadonlyMap<string, string> = new Map([['min.insync.replicas', 'min.insync.replicas']])

/** DescribeConfigs: values, and where each comes from. */
export const describeConfigsApi: ServedApi = serve(describeConfigs, (request, context) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) => describe(resource, request.includeSynonyms, context)),
}))

function describe(resource: DescribeConfigsResource, withSynonyms: boolean, context: RequestContext): DescribedResource {
  const { resourceType, resourceName, configNames } = resource
  const { broker, refusal } = context
  const isTopic = resourceType === configResource.topic
  const answer = (code: number, errorMessage: string | null, configs: DescribedConfig[]) => {
    return { errorCode: code, errorMessage, resourceType, resourceName, configs }
  }
  const refused = isTopic ? refusal({ topic: resourceName, partition: -1 }) : refusal()
  if (refused !== 0) return answer(refused, null, [])
  if (!isTopic && resourceType !== configResource.broker) {
    return answer(errorCode.invalidRequest, `Resources of type ${resourceType} have no settings here.`, [])
  }
  if (!isTopic && resourceName !== String(broker.id)) {
    return answer(errorCode.invalidRequest, `Unexpected broker id, expected ${broker.id} but received ${resourceName}`, [])
  }
  const topic = isTopic ? broker.image.topics.get(resourceName) : undefined
  if (isTopic && !topic) return answer(errorCode.unknownTopicOrPartition, null, [])
  const wanted = [...(isTopic ? topicSettings : brokerSettings).values()].filter(
    ({ name }) => configNames?.includes(name) ?? true,
  )
  return answer(
    errorCode.none,
    null,
    wanted.map((setting) => describeOne(setting, topic?.overrides, withSynonyms, context)),
  )
}

function describeOne(
  setting: Setting,
  overrides: ReadonlyMap<string, string> | undefined,
  withSynonyms: boolean,
  { broker }: RequestContext,
): DescribedConfig {
  const { name, defaultValue, type } = setting
  const synonyms: { name: string; value: string; source: number }[] = []
  const own = overrides?.get(name)
  if (own !== undefined) synonyms.push({ name, value: own, source: configSource.topic })
  const brokerName = overrides === undefined ? name : behind.get(name)
  if (brokerName !== undefined) {
    const value = broker.host.settings.text(brokerName)
    // Kafka 4 keeps min.insync.replicas as a setting of the cluster (KIP-966).
    const source = overrides === undefined ? configSource.file : configSource.cluster
    if (value !== defaultValue) synonyms.push({ name: brokerName, value, source })
  }
  synonyms.push({ name: brokerName ?? name, value: defaultValue, source: configSource.default })
  const { value, source } = synonyms[0]!
  return {
    name,
    value,
    isReadOnly: overrides === undefined,
    source,
    isSensitive: false,
    synonyms: withSynonyms ? synonyms : [],
    configType: type,
    documentation: null,
  }
}

type Change = (topic: string, overrides: Map<string, string>) => string | undefined

function alter(
  resource: { readonly resourceType: number; readonly resourceName: string },
  validateOnly: boolean,
  { broker, refusal }: RequestContext,
  change: Change,
): AlterConfigsResult {
  const { resourceType, resourceName } = resource
  const answer = (code: number, errorMessage: string | null = null) => ({
    errorCode: code,
    errorMessage,
    resourceType,
    resourceName,
  })
  const refused = refusal({ topic: resourceName, partition: -1 })
  if (refused !== 0) return answer(refused)
  if (resourceType !== configResource.topic) {
    return answer(errorCode.invalidRequest, 'The local brokers take their settings from startKafka({ settings }) only.')
  }
  if (!broker.reachesController()) return answer(errorCode.requestTimedOut, 'The controllers cannot be reached.')
  const { controller } = broker.host
  const topic = controller.topics.get(resourceName)
  if (!topic) return answer(errorCode.unknownTopicOrPartition)
  const overrides = new Map(topic.overrides)
  const problem = change(resourceName, overrides)
  if (problem) return answer(errorCode.invalidConfig, problem)
  if (!validateOnly) {
    controller.setOverrides(resourceName, overrides)
    // A shorter retention may be due already.
    broker.host.cleaner.notice(broker.host.now())
  }
  return answer(errorCode.none)
}

/** AlterConfigs: what is not named goes back to its default. */
export const alterConfigsApi: ServedApi = serve(alterConfigs, (request, context) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) =>
    alter(resource, request.validateOnly, context, (_topic, overrides) => {
      overrides.clear()
      for (const { name, value } of resource.configs) {
        if (value === null) continue
        const problem = problemOfSetting(name, value)
        if (problem) return problem
        overrides.set(name, value)
      }
      return undefined
    }),
  ),
}))

/** IncrementalAlterConfigs: what is not named stays. */
export const incrementalAlterConfigsApi: ServedApi = serve(incrementalAlterConfigs, (request, context) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) =>
    alter(resource, request.validateOnly, context, (_topic, overrides) => {
      for (const config of resource.configs) {
        const problem = applyOperation(config, overrides)
        if (problem) return problem
      }
      return undefined
    }),
  ),
}))

function applyOperation({ name, operation, value }: AlterableConfig, overrides: Map<string, string>): string | undefined {
  const known = topicSettings.get(name)
  if (!known) return `Unknown topic config name: ${name}`
  if (operation === configOperation.delete) {
    overrides.delete(name)
    return undefined
  }
  if (value === null) return `The value of ${name} is missing.`
  const isList = operation === configOperation.append || operation === configOperation.subtract
  if (isList && known.type !== listType) return `${name} is no list; nothing can be appended to it or taken from it.`
  const present = (overrides.get(name) ?? known.defaultValue).split(',').filter((one) => one !== '')
  const given = value.split(',')
  const next =
    operation === configOperation.append
      ? [...present, ...given.filter((one) => !present.includes(one))].join(',')
      : operation === configOperation.subtract
        ? present.filter((one) => !given.includes(one)).join(',')
        : value
  const problem = problemOfSetting(name, next)
  if (!problem) overrides.set(name, next)
  return problem
}

const listType = 7
