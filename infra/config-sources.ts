/** Live sources: the list `sources` of the JSON file, and how politely the network is asked. */
import Type from 'typebox'
import { Value } from 'typebox/value'
import { faultOf } from './config-faults.ts'
import { section } from './config-section.ts'
import { isCronExpression } from './schedule.ts'

export const SourceDefaults = Type.Object(
  {
    contact: Type.String({
      env: 'SOURCES_CONTACT',
      default: '',
      pattern: '^[\\x20-\\x7e]{0,200}$',
      description:
        'Mail address or page of whoever runs this monitor; publishers find it in the User-Agent of every request.',
    }),
    minIntervalMs: Type.Integer({
      env: 'SOURCES_MIN_INTERVAL_MS',
      minimum: 0,
      maximum: 3_600_000,
      default: 1_000,
      description: 'Least time between two requests to one host, of all sources together.',
    }),
    timeoutMs: Type.Integer({
      env: 'SOURCES_TIMEOUT_MS',
      minimum: 100,
      maximum: 600_000,
      default: 30_000,
      description: 'Longest time for one request, its body included.',
    }),
    maxBytes: Type.Integer({
      env: 'SOURCES_MAX_BYTES',
      minimum: 1_024,
      maximum: 67_108_864,
      default: 8_388_608,
      description: 'Largest body that is read, after decompression.',
    }),
  },
  section,
)
export type SourceDefaults = Type.Static<typeof SourceDefaults>

const closed = { additionalProperties: false } as const

/** A JSON pointer (RFC 6901). */
const Pointer = Type.String({ pattern: '^(/.*)?$', maxLength: 500 })

const dateFormats = ['text', 'unixSeconds', 'unixMilliseconds'] as const

/** Where a field of a post comes from: a pointer, a pointer and how to read it, or a constant. */
const FieldRule = Type.Union([
  Pointer,
  Type.Object({ at: Pointer, html: Type.Optional(Type.Boolean()) }, closed),
  Type.Object({ value: Type.String({ maxLength: 20_000 }) }, closed),
])
export type FieldRule = Type.Static<typeof FieldRule>

const DateRule = Type.Union([
  Pointer,
  Type.Object({ at: Pointer, format: Type.Enum(dateFormats, { default: 'text' }) }, closed),
])
export type DateRule = Type.Static<typeof DateRule>

const Mapping = Type.Object(
  {
    id: Type.Optional(FieldRule),
    text: FieldRule,
    title: Type.Optional(FieldRule),
    url: Type.Optional(FieldRule),
    author: Type.Optional(FieldRule),
    language: Type.Optional(FieldRule),
    kind: Type.Optional(FieldRule),
    tickers: Type.Optional(FieldRule),
    publishedAt: DateRule,
  },
  closed,
)
export type Mapping = Type.Static<typeof Mapping>

/** A value of the file, or the name of the environment variable that holds it. */
const HeaderRule = Type.Union([
  Type.String({ maxLength: 2_000 }),
  Type.Object(
    {
      env: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
      prefix: Type.Optional(Type.String({ maxLength: 100 })),
    },
    closed,
  ),
])
const token = "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"
const HeaderRules = Type.Record(Type.String({ pattern: token }), HeaderRule)

const HttpUrl = Type.String({ pattern: '^https?://', maxLength: 2_000 })
const Cron = Type.String({ maxLength: 100 })

const common = {
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,39}$' }),
  /** Who looks after the source: shown wherever it is in trouble. */
  owner: Type.String({ minLength: 1, maxLength: 200 }),
  /** `source` of its posts; its name where it says nothing. */
  source: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  kind: Type.Enum(['news', 'comment'], { default: 'news' }),
  language: Type.Optional(Type.String({ maxLength: 35 })),
  /** What a post without a usable date is: imported history, or new when it was first seen between two readings close together. */
  undated: Type.Enum(['history', 'firstSeen'], { default: 'history' }),
  datesWithoutZone: Type.Enum(['unknown', 'utc'], { default: 'unknown' }),
  /** At the first reading and after a long outage only posts published within this time are live. */
  freshMinutes: Type.Number({ minimum: 0, maximum: 10_080, default: 10 }),
  /** Learned where it says nothing; 0: never silent. */
  silentAfterMinutes: Type.Optional(Type.Number({ minimum: 0, maximum: 525_600 })),
}

const FeedSource = Type.Object(
  {
    type: Type.Literal('feed'),
    ...common,
    url: HttpUrl,
    headers: Type.Optional(HeaderRules),
    schedule: Type.String({ ...Cron, default: '*/5 * * * *' }),
  },
  closed,
)
export type FeedSource = Type.Static<typeof FeedSource>

const JsonPollerSource = Type.Object(
  {
    type: Type.Literal('json-poller'),
    ...common,
    /** May hold {since}, {sinceSeconds}, {page} and {cursor}. */
    url: HttpUrl,
    /** Added to the address and kept out of every message. */
    query: Type.Optional(Type.Record(Type.String({ pattern: '^.{1,100}$' }), HeaderRule)),
    headers: Type.Optional(HeaderRules),
    schedule: Type.String({ ...Cron, default: '* * * * *' }),
    items: Pointer,
    mapping: Mapping,
    paging: Type.Optional(
      Type.Object(
        {
          /** Where a page names the next one: a value for {cursor}, or the address of the next page. */
          cursor: Type.Optional(Pointer),
          next: Type.Optional(Pointer),
          maxPages: Type.Integer({ minimum: 1, maximum: 1_000, default: 10 }),
        },
        closed,
      ),
    ),
    /** How far {since} reaches back at the first reading. */
    lookbackHours: Type.Number({ exclusiveMinimum: 0, maximum: 8_760, default: 24 }),
    minIntervalMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 })),
  },
  closed,
)
export type JsonPollerSource = Type.Static<typeof JsonPollerSource>

const KafkaTopicSource = Type.Object(
  {
    type: Type.Literal('kafka-topic'),
    ...common,
    brokers: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    topic: Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}$' }),
    group: Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}$' }),
    /** Where a group begins that has committed nothing. */
    from: Type.Enum(['beginning', 'end'], { default: 'end' }),
    mapping: Mapping,
  },
  closed,
)
export type KafkaTopicSource = Type.Static<typeof KafkaTopicSource>

const FileTailSource = Type.Object(
  {
    type: Type.Literal('file-tail'),
    ...common,
    path: Type.String({ minLength: 1, maxLength: 4_096 }),
    /** Where a file begins that was never read. */
    from: Type.Enum(['beginning', 'end'], { default: 'beginning' }),
    /** Lines are posts where it says nothing. */
    mapping: Type.Optional(Mapping),
  },
  closed,
)
export type FileTailSource = Type.Static<typeof FileTailSource>

export type SourceConfig = FeedSource | JsonPollerSource | KafkaTopicSource | FileTailSource

const schemas = {
  feed: FeedSource,
  'json-poller': JsonPollerSource,
  'kafka-topic': KafkaTopicSource,
  'file-tail': FileTailSource,
} as const

export const SourceList = Type.Unsafe<SourceConfig[]>(
  Type.Array(Type.Unknown(), {
    default: [],
    description: 'Live sources; see [sources.md](sources.md).',
  }),
)

/** The list with its defaults, or every fault of every entry. `value` is an array. */
export function checkSources(value: readonly unknown[]): {
  readonly sources: SourceConfig[]
  readonly faults: readonly string[]
} {
  const checked = value.map(checkSource)
  const faults = checked.flatMap(({ faults }) => faults)
  const names = value.map(nameOf).filter((name) => name !== undefined)
  const repeated = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  for (const name of repeated) faults.push(`sources: the name ${JSON.stringify(name)} is taken`)
  return {
    sources: checked.flatMap(({ source }) => (source === undefined ? [] : [source])),
    faults,
  }
}

function checkSource(
  value: unknown,
  index: number,
): { source: SourceConfig | undefined; faults: string[] } {
  const name = nameOf(value)
  const at = `sources.${index}${name === undefined ? '' : ` ${JSON.stringify(name)}`}`
  const type = typeof value === 'object' && value !== null && 'type' in value && value.type
  const schema = Object.hasOwn(schemas, String(type))
    ? schemas[type as keyof typeof schemas]
    : undefined
  if (schema === undefined)
    return {
      source: undefined,
      faults: [`${at}: type must be one of ${Object.keys(schemas).join(', ')}`],
    }
  const complete = Value.Default(schema, structuredClone(value))
  const faults = Value.Errors(schema, complete).flatMap((error) => {
    const fault = faultOf(error)
    if (fault === undefined) return []
    if (fault.unknown) return [`${at}: unknown option ${JSON.stringify(fault.option)}`]
    return [`${at}: ${`${fault.option} ${fault.wrong}`.trim()}`]
  })
  if (!Value.Check(schema, complete)) return { source: undefined, faults: [...new Set(faults)] }
  const source: SourceConfig = complete
  return { source, faults: oddities(source).map((oddity) => `${at}: ${oddity}`) }
}

/** What a schema cannot say. */
function oddities(source: SourceConfig): string[] {
  const found: string[] = []
  if ('schedule' in source && !isCronExpression(source.schedule))
    found.push('schedule is no cron expression')
  if ('url' in source) {
    const url = URL.canParse(source.url) ? new URL(source.url) : undefined
    if (url === undefined) found.push('url is no address')
    else if (url.username !== '' || url.password !== '')
      found.push('url holds a password: use headers with the name of an environment variable')
  }
  return found
}

function nameOf(value: unknown): string | undefined {
  const name = typeof value === 'object' && value !== null && 'name' in value && value.name
  return typeof name === 'string' ? name : undefined
}
