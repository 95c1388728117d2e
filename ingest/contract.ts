/**
 * What ingest promises to everything downstream: the shape of a post, its limits, the one check of both, and the shape of a
 * dead letter. Lengths count Unicode code points. Push checks before it appends; the pipeline checks again, as other producers
 * write to the log too.
 */
import Type from 'typebox'
import Compile from 'typebox/compile'

export const kinds = ['news', 'comment'] as const
export const statuses = ['original', 'corrected', 'withdrawn'] as const

export const maxTextLength = 20_000
/** Of a record's bytes. The largest valid post is far below it, however it escapes its text. */
export const maxPostBytes = 1_048_576
/** Of a dead letter's payload. */
export const maxPayloadBytes = 65_536
/** A post may claim to be published this much after the log took it: clocks differ. */
export const maxFutureMs = 5 * 60_000

/** Whether the date exists is checked beside the schema (parseInstant). */
const Instant = Type.String({
  minLength: 20,
  maxLength: 40,
  description: 'RFC 3339 date and time with a zone.',
})

export const Post = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'Unique in its source; the same id with another text is a new version.',
    }),
    source: Type.String({ minLength: 1, maxLength: 100 }),
    kind: Type.Enum(kinds),
    text: Type.String({ minLength: 1, maxLength: maxTextLength }),
    title: Type.Optional(Type.String({ maxLength: 1_000 })),
    url: Type.Optional(Type.String({ maxLength: 2_000 })),
    author: Type.Optional(Type.String({ maxLength: 200 })),
    language: Type.Optional(
      Type.String({
        maxLength: 35,
        description: 'BCP 47 tag; found by the pipeline when missing.',
      }),
    ),
    tickers: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 20 }), { maxItems: 50 }),
    ),
    publishedAt: Instant,
    originalPublishedAt: Type.Optional(Instant),
    status: Type.Optional(Type.Enum(statuses)),
    supersedes: Type.Optional(Type.String({ maxLength: 200 })),
    history: Type.Optional(
      Type.Boolean({
        description:
          'Imported history: stored and scored like any post, but it teaches baselines by publishedAt and never enters the live series.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type Post = Type.Static<typeof Post>

export type PostResult =
  | { readonly ok: true; readonly post: Post }
  | { readonly ok: false; readonly reason: string }

const shape = Compile(Post)
const maxFaults = 3

/**
 * Checks a value against the contract. A post comes back with lone surrogates replaced (U+FFFD), times in UTC with
 * milliseconds, and nothing else changed; checking it again gives the same post. A reason names the field and holds nothing of
 * the post but an unknown field's name, escaped and cut.
 *
 * @param appendedAtMs when the log took the post (now, before it did), in milliseconds since 1970: a post from further ahead
 * than maxFutureMs is refused.
 */
export function parsePost(value: unknown, appendedAtMs: number): PostResult {
  if (!shape.Check(value)) return refuse(explain(value))
  if (value.text.trim() === '') return refuse('text: holds only white space')
  const publishedMs = parseInstant(value.publishedAt)
  if (publishedMs === undefined) return refuse(`publishedAt: ${instantRule}`)
  if (publishedMs > appendedAtMs + maxFutureMs)
    return refuse(`publishedAt: more than ${maxFutureMs / 60_000} minutes ahead of its arrival`)
  const post = repair(value)
  post.publishedAt = new Date(publishedMs).toISOString()
  if (post.originalPublishedAt !== undefined) {
    const originalMs = parseInstant(post.originalPublishedAt)
    if (originalMs === undefined) return refuse(`originalPublishedAt: ${instantRule}`)
    post.originalPublishedAt = new Date(originalMs).toISOString()
  }
  return { ok: true, post }
}

/** parsePost of a record's bytes: one JSON document in UTF-8, at most maxPostBytes. */
export function decodePost(bytes: Uint8Array, appendedAtMs: number): PostResult {
  if (bytes.byteLength > maxPostBytes) return refuse(tooLarge)
  const json = decodeJson(bytes)
  return json.ok ? parsePost(json.value, appendedAtMs) : json
}

/** A JSON document in UTF-8, with or without a byte order mark. Of a repeated key the last one counts. */
export function decodeJson(
  bytes: Uint8Array,
):
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string } {
  if (bytes.byteLength === 0) return { ok: false, reason: 'empty' }
  try {
    return { ok: true, value: JSON.parse(strictUtf8.decode(bytes)) }
  } catch (error) {
    const isSyntax = error instanceof SyntaxError
    return { ok: false, reason: isSyntax ? describeSyntaxError(error) : 'not valid UTF-8' }
  }
}

/** The reason for a record or line of more than maxPostBytes. */
export const tooLarge = `larger than ${maxPostBytes} bytes`

function refuse(reason: string): PostResult {
  return { ok: false, reason }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** The engine's message quotes the document, so only the position is taken from it. */
function describeSyntaxError(error: SyntaxError): string {
  const position = /at position (\d{1,10})(?: \(line \d+ column \d+\))?$/.exec(error.message)?.[1]
  return position === undefined ? 'not valid JSON' : `not valid JSON at position ${position}`
}

function explain(value: unknown): string {
  const reasons = shape.Errors(value).flatMap(({ keyword, instancePath, params, message }) => {
    const field = instancePath.slice(1)
    switch (keyword) {
      case 'additionalProperties':
        return [] // Each such field also has an error of its own, keyword `boolean`.
      case 'boolean':
        return [`unknown field ${quote(field.replaceAll('~1', '/').replaceAll('~0', '~'))}`]
      case 'required':
        return [`missing: ${params.requiredProperties.join(', ')}`]
      case 'enum':
        return [`${field}: must be one of ${params.allowedValues.join(', ')}`]
      default:
        return [field === '' ? 'a post must be a JSON object' : `${field}: ${message}`]
    }
  })
  return reasons.slice(0, maxFaults).join('; ')
}

/** A stranger's word in printable ASCII, cut to 40 characters. */
function quote(word: string): string {
  const cut = word.length > 40 ? `${word.slice(0, 40)}...` : word
  return JSON.stringify(cut).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Replaces lone surrogates in every string: the store refuses a whole block for one. */
function repair(post: Post): Post {
  const repaired: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(post))
    repaired[key] =
      typeof value === 'string'
        ? value.toWellFormed()
        : Array.isArray(value)
          ? value.map((item) => item.toWellFormed())
          : value
  return repaired as Post
}

const instantRule = 'not an RFC 3339 time with a zone, of an existing day from 1970 to 2299'
const instantPattern =
  /^(19[7-9]\d|2[0-2]\d\d)-(0[1-9]|1[0-2])-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/
const dayMs = 86_400_000
const latestMs = Date.UTC(2300, 0, 1) - 1

/**
 * Milliseconds since 1970 of an RFC 3339 time; undefined for anything else, for a day or hour that does not exist, and outside
 * 1970 to 2299 (the store's range). Parts of a millisecond are cut off; a leap second counts as the second after it.
 */
export function parseInstant(text: string): number | undefined {
  const match = instantPattern.exec(text)
  if (match === null) return undefined
  const part = (group: number) => Number(match[group] ?? 0)
  const midnightMs = Date.UTC(part(1), part(2) - 1, part(3))
  if (new Date(midnightMs).getUTCDate() !== part(3)) return undefined
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (part(9) * 60 + part(10))
  const minutes = part(4) * 60 + part(5) - offsetMinutes
  const fractionMs = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const ms = midnightMs + minutes * 60_000 + part(6) * 1_000 + fractionMs
  const afterMidnight = ms - Math.floor(ms / dayMs) * dayMs
  if (part(6) === 60 && afterMidnight >= 1_000) return undefined
  return ms >= 0 && ms <= latestMs ? ms : undefined
}

/** Redriving it once more would not help: the first time and four redrives. */
export const maxAttempts = 5

/** Which record of the log a redriven post repeats, and the how manieth time that is; 2 for the first redrive. */
export const RedriveOf = Type.Object(
  {
    /** Of a live source `source:NAME:TOPIC/partition/offset`, or with the inode of a file, which has 20 digits at most. */
    origin: Type.String({ pattern: '^[A-Za-z0-9._@:-]{1,260}/\\d{1,20}/\\d{1,16}$' }),
    attempt: Type.Integer({ minimum: 2, maximum: maxAttempts }),
  },
  { additionalProperties: false },
)
export type RedriveOf = Type.Static<typeof RedriveOf>

/** What stands in the log where a post was erased: its identity, and nothing that it said. */
export const ErasedPost = Type.Object(
  {
    erased: Type.Literal(true),
    ...Type.Pick(Post, ['id', 'source', 'kind', 'publishedAt']).properties,
    text: Type.Literal(''),
  },
  { additionalProperties: false },
)
export type ErasedPost = Type.Static<typeof ErasedPost>

export type RecordResult =
  | {
      readonly ok: true
      readonly post: Post
      readonly redriveOf?: RedriveOf
      /** The post has no text any more: it is not judged. */
      readonly erased?: true
    }
  | { readonly ok: false; readonly reason: string }

const redrive = Compile(RedriveOf)
const erasedPost = Compile(ErasedPost)

/** decodePost of a record of the topic `posts`, where the monitor itself also writes redriven posts, and what is left of erased ones. */
export function decodeRecord(bytes: Uint8Array, appendedAtMs: number): RecordResult {
  if (bytes.byteLength > maxPostBytes) return refuse(tooLarge)
  const json = decodeJson(bytes)
  if (!json.ok) return json
  if (erasedPost.Check(json.value)) {
    const { erased, ...post } = json.value
    return { ok: true, post, erased }
  }
  if (!hasRedriveOf(json.value)) return parsePost(json.value, appendedAtMs)
  const { redriveOf, ...value } = json.value
  if (!redrive.Check(redriveOf)) return refuse('redriveOf: not one that the monitor writes')
  const result = parsePost(value, appendedAtMs)
  return result.ok ? { ...result, redriveOf } : result
}

function hasRedriveOf(value: unknown): value is { readonly redriveOf: unknown } {
  return typeof value === 'object' && value !== null && 'redriveOf' in value
}

/**
 * invalid: no post. lethal: its text ended its readers. expert: an expert throws on it. judging: another step does. store: the store refuses its
 * rows. other: a letter from before classes were written.
 */
export const letterClasses = ['invalid', 'lethal', 'expert', 'judging', 'store', 'other'] as const
export type LetterClass = (typeof letterClasses)[number]

/** A record of `posts.dead`. Its key is `origin`, so that a repeat is recognised. */
export const DeadLetter = Type.Object({
  origin: Type.String({
    description: 'topic/partition/offset of the refused record; of a redriven post, of the first.',
  }),
  reason: Type.String(),
  payload: Type.String({ description: 'The refused bytes as UTF-8, cut to 64 KiB.' }),
  payloadBytes: Type.Integer({ description: 'How many bytes the record had.' }),
  appendedAt: Type.String({
    description: 'When the log took the refused record, RFC 3339 in UTC.',
  }),
  class: Type.Optional(Type.Enum(letterClasses)),
  attempts: Type.Optional(
    Type.Integer({ minimum: 1, description: 'How often the post was refused; 1 unless told.' }),
  ),
  position: Type.Optional(
    Type.String({ description: 'Where a redriven post was refused: topic/partition/offset.' }),
  ),
  postId: Type.Optional(Type.String()),
  source: Type.Optional(Type.String()),
  expert: Type.Optional(Type.String({ description: 'Who fails on it.' })),
  stack: Type.Optional(
    Type.String({
      description: 'Of what was thrown, cut to 4,000 characters. It may quote the post.',
    }),
  ),
  erased: Type.Optional(Type.Literal(true, { description: 'The payload was erased.' })),
})
export type DeadLetter = Type.Static<typeof DeadLetter>

/** What a letter says beside the record itself. */
export type LetterDetails = Pick<
  DeadLetter,
  'class' | 'attempts' | 'postId' | 'source' | 'expert' | 'stack'
>

/** The dead letter of a record of the log; `timestamp` in milliseconds since 1970. */
export function deadLetter(
  record: {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly timestamp: number
    readonly value: Uint8Array
  },
  reason: string,
  details: LetterDetails = {},
  redriveOf?: RedriveOf,
): DeadLetter {
  // With `stream`, a character that the cut goes through is left out instead of being replaced.
  const payload = new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    record.value.subarray(0, maxPayloadBytes),
    { stream: record.value.byteLength > maxPayloadBytes },
  )
  const position = `${record.topic}/${record.partition}/${record.offset}`
  return {
    origin: position,
    reason,
    payload,
    payloadBytes: record.value.byteLength,
    appendedAt: new Date(record.timestamp).toISOString(),
    ...details,
    ...(redriveOf && { origin: redriveOf.origin, attempts: redriveOf.attempt, position }),
  }
}
