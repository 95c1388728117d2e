/**
 * Bytes of a document to text. Declarations are wrong so often that the bytes have the last word: a byte order mark wins, and bytes that
 * are valid UTF-8 with at least one character beyond ASCII are UTF-8, whatever a header or a prolog calls them. Otherwise the HTTP header, the XML
 * prolog, and windows-1252 are asked in this order.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { TextDecoder } from 'node:util'

const prologBytes = 1_024

export function decodeDocument(body: Uint8Array, contentType = ''): string {
  for (const label of labelsOf(body, contentType)) {
    const decoder = decoderFor(label)
    if (decoder !== undefined) return decode(decoder, body)
  }
  return decode(new TextDecoder('windows-1252'), body)
}

/** In two steps: in one, Node 20 takes windows-1252 for Latin-1 and loses quotes and the euro (nodejs/node#56542). */
function decode(decoder: TextDecoder, body: Uint8Array): string {
  return decoder.decode(body, { stream: true }) + decoder.decode()
}

function* labelsOf(body: Uint8Array, contentType: string): Generator<string> {
  if (body[0] === 0xfe && body[1] === 0xff) yield 'utf-16be'
  if (body[0] === 0xff && body[1] === 0xfe) yield 'utf-16le'
  const declared = [charsetOf(contentType), encodingOf(body)].filter((label) => label !== undefined)
  // ISO-2022-JP and its like write everything in ASCII bytes.
  if (isAscii(body)) yield* declared.filter((label) => /^iso-2022/i.test(label))
  if (isUtf8(body)) yield 'utf-8'
  for (const label of declared) if (!/^utf-?(8|16)/i.test(label)) yield label
  if (declared.some((label) => /^utf-?16/i.test(label))) yield 'utf-16le'
}

const charsetOf = (contentType: string): string | undefined =>
  /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1]

function encodingOf(body: Uint8Array): string | undefined {
  const prolog = Buffer.from(body.subarray(0, prologBytes)).toString('latin1')
  return /^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(prolog)?.[1]
}

function decoderFor(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label)
  } catch {
    return undefined // No such encoding.
  }
}
