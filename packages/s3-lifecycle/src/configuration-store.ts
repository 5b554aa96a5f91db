import {
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketVersioningCommand,
  PutBucketLifecycleConfigurationCommand,
  type PutBucketLifecycleConfigurationRequest,
} from '@aws-sdk/client-s3'
import { minimumSizeModeOf } from './compiled-rule'
import type { LifecycleConfiguration, LifecycleRule } from './configuration'
import type { Versioning } from './key-state'
import type { BucketCalls } from './s3-call'
import type { MinimumSizeMode } from './storage-class'

/** The configuration of a bucket; `undefined` when it has none. A missing permission is an error, never "none". */
export async function readConfiguration(calls: BucketCalls): Promise<LifecycleConfiguration | undefined> {
  return calls.send('s3:GetLifecycleConfiguration', async (client, place, options) => {
    try {
      const answer = await client.send(new GetBucketLifecycleConfigurationCommand(place), options)
      return {
        Rules: (answer.Rules ?? []).map(restoredFilter),
        TransitionDefaultMinimumObjectSize: (answer.TransitionDefaultMinimumObjectSize ??
          'all_storage_classes_128K') as MinimumSizeMode,
      }
    } catch (error) {
      if ((error as Error).name === 'NoSuchLifecycleConfiguration') return undefined
      throw error
    }
  })
}

/** An empty `<Filter/>` must not get lost on the way through a client: a rule without filter and prefix would be rejected. */
function restoredFilter(rule: object): LifecycleRule {
  const given = rule as LifecycleRule
  return given.Filter === undefined && given.Prefix === undefined ? { ...given, Filter: {} } : given
}

/** Writes the whole configuration; one without rules is deleted, as S3 takes no empty one. The minimum-size mode is always sent. */
export async function writeConfiguration(calls: BucketCalls, configuration: LifecycleConfiguration): Promise<void> {
  await calls.send('s3:PutLifecycleConfiguration', async (client, place, options) => {
    if (configuration.Rules.length === 0) {
      await client.send(new DeleteBucketLifecycleCommand(place), options)
      return
    }
    const request: PutBucketLifecycleConfigurationRequest = {
      ...place,
      TransitionDefaultMinimumObjectSize: minimumSizeModeOf(configuration),
      LifecycleConfiguration: { Rules: configuration.Rules.map(withDates) as never },
    }
    await client.send(new PutBucketLifecycleConfigurationCommand(request), options)
  })
}

/** Plans that were kept as JSON have dates as text. */
function withDates(rule: LifecycleRule): LifecycleRule {
  const dated = <T extends { readonly Date?: Date | undefined }>(action: T): T =>
    action.Date === undefined ? action : { ...action, Date: new Date(action.Date) }
  return {
    ...rule,
    ...(rule.Expiration && { Expiration: dated(rule.Expiration) }),
    ...(rule.Transitions && { Transitions: rule.Transitions.map(dated) }),
  }
}

/** Whether the bucket keeps versions. */
export async function readVersioning(calls: BucketCalls): Promise<Versioning> {
  const { Status } = await calls.send('s3:GetBucketVersioning', (client, place, options) =>
    client.send(new GetBucketVersioningCommand(place), options),
  )
  return Status === 'Enabled' ? 'enabled' : Status === 'Suspended' ? 'suspended' : 'unversioned'
}
