import { AwsError } from '../service'
import { receiveDocument } from './receive-body'
import { sendXml } from './respond'
import type { S3Request } from './s3-request'
import { readXml, xmlDocument } from './xml'
import { readShape, type Shape, writeShape } from './xml-shape'

const maxDocumentBytes = 4 << 20

/**
 * Reads the body of a request as a document of that shape.
 *
 * @throws {@link AwsError} MalformedXML; InvalidRequest when S3 asks for a checksum of the body and there is none.
 */
export async function receiveShape<T>(
  request: S3Request,
  root: string,
  shape: Shape,
  { checksum = true }: { readonly checksum?: boolean } = {},
): Promise<T> {
  const { bytes, verified } = await receiveDocument(request, maxDocumentBytes)
  if (checksum && !verified)
    throw new AwsError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*')
  return readShape(await readXml(bytes, root), shape) as T
}

/** Sends a value as a document. */
export function sendShape(
  request: S3Request,
  root: string,
  shape: Shape,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendXml(request.call, xmlDocument(root, writeShape(value, shape)), headers)
}
