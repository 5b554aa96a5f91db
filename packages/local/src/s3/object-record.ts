import type { Checksum, ChecksumAlgorithm, ChecksumType } from './checksum'

/** Object Lock retention of a version. */
export interface Retention {
  readonly mode: 'GOVERNANCE' | 'COMPLIANCE'
  /** Milliseconds. */
  readonly until: number
}

/** What an object carries besides its bytes. */
export interface ObjectHeaders {
  readonly storageClass: string
  /** User metadata without the `x-amz-meta-` prefix. */
  readonly metadata: Readonly<Record<string, string>>
  /** `content-type`, `content-encoding`, `cache-control`, … as stored. */
  readonly content: Readonly<Record<string, string>>
  readonly tags?: Readonly<Record<string, string>>
  readonly retention?: Retention
  readonly legalHold?: true
  /** ARN of the KMS key whose rights are asked; the bytes are not encrypted here. */
  readonly kmsKey?: string
}

/** The readable copy of an archived object. Whether it is there, on its way or gone again depends on the clock alone. */
export interface Restore {
  readonly tier: 'Expedited' | 'Standard' | 'Bulk'
  /** From when it can be read. Milliseconds. */
  readonly readyAt: number
  /** When it goes: midnight UTC. Milliseconds. */
  readonly until: number
}

/** How far an object has come with replication; `REPLICA` is what replication made. */
export type ReplicationStatus = 'PENDING' | 'COMPLETED' | 'FAILED' | 'REPLICA'

interface Version {
  readonly key: string
  /** Absent for the version `null`: what was written without versioning, or while it is suspended. */
  readonly versionId?: string
  /** Milliseconds by the clock of the runtime. */
  readonly lastModified: number
  /** When it stopped being the current version: kept also when its successor goes. Milliseconds. */
  readonly noncurrentSince?: number
  readonly replication?: ReplicationStatus
}

/** One object, or one version of it, in the index. */
export interface ObjectRecord extends Version, ObjectHeaders {
  readonly size: number
  /** With quotes. */
  readonly etag: string
  /** Number of the body file. */
  readonly body: number
  readonly checksum?: Checksum
  /** Sizes of the parts, for an object made by a multipart upload. */
  readonly partSizes?: readonly number[]
  readonly restore?: Restore
}

/** A delete marker. */
export interface MarkerRecord extends Version {
  readonly isMarker: true
}

/** A version of a key: an object or a delete marker. */
export type VersionRecord = ObjectRecord | MarkerRecord

/** Whether a version is a delete marker. */
export function isMarker(version: VersionRecord): version is MarkerRecord {
  return 'isMarker' in version
}

/** The id of a version as the API writes it. */
export function idOf(version: VersionRecord): string {
  return version.versionId ?? 'null'
}

/** One part of an unfinished multipart upload. */
export interface PartRecord {
  readonly number: number
  readonly size: number
  /** With quotes. */
  readonly etag: string
  readonly lastModified: number
  readonly body: number
  readonly checksum?: Checksum
}

/** An unfinished multipart upload. */
export interface UploadRecord extends ObjectHeaders {
  readonly uploadId: string
  readonly key: string
  readonly initiated: number
  /** Absent when the client named none; S3 then computes CRC64NVME over the object. */
  readonly algorithm?: ChecksumAlgorithm
  readonly checksumType: ChecksumType
  readonly parts: Map<number, PartRecord>
}
