import { readFileSync } from 'node:fs'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { faultOf } from './config-faults.ts'
import { KafkaOptions } from './config-kafka.ts'
import { PipelineOptions } from './config-pipeline.ts'
import { section } from './config-section.ts'
import { checkSources, SourceDefaults, SourceList } from './config-sources.ts'
import { AppError, describeError } from './errors.ts'

const isoDay = '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$'

/** Or empty. */
const httpUrl = '^(https?://[^\\s/?#]+/?)?$'

const roleUrl = (role: string, env: string) =>
  Type.String({
    env,
    pattern: httpUrl,
    default: '',
    description: `Where \`run dashboards\` finds the role ${role}; empty: nowhere.`,
  })

export const Config = Type.Object(
  {
    dataDir: Type.String({
      env: 'TICKERTONE_DATA_DIR',
      default: './tickertone-data',
      minLength: 1,
      description: 'Folder of the embedded log and store. One process owns it.',
    }),
    logLevel: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      env: 'LOG_LEVEL',
      default: 'info',
      description: 'Least severe level of the JSON log lines on standard error.',
    }),
    kafka: KafkaOptions,
    clickhouse: Type.Object(
      {
        url: Type.String({
          env: 'CLICKHOUSE_URL',
          default: '',
          description: 'Address of a ClickHouse server; empty: the embedded engine.',
        }),
      },
      section,
    ),
    http: Type.Object(
      {
        host: Type.String({
          env: 'HTTP_HOST',
          default: '127.0.0.1',
          description:
            'Address to listen on. Only loopback works without a login, so only loopback is accepted.',
        }),
        port: Type.Integer({
          env: 'HTTP_PORT',
          minimum: 0,
          maximum: 65535,
          default: 8080,
          description: 'Port of pages and API; 0 takes a free one.',
        }),
        publicUrl: Type.String({
          env: 'HTTP_PUBLIC_URL',
          pattern: httpUrl,
          default: '',
          description:
            'Where people open the pages, for the links in alerts; empty: where this process listens.',
        }),
      },
      section,
    ),
    forward: Type.Object(
      {
        ingestUrl: roleUrl('ingest', 'FORWARD_INGEST_URL'),
        pipelineUrl: roleUrl('pipeline', 'FORWARD_PIPELINE_URL'),
        alertsUrl: roleUrl('alerts', 'FORWARD_ALERTS_URL'),
      },
      section,
    ),
    client: Type.Object(
      {
        url: Type.String({
          env: 'TICKERTONE_URL',
          pattern: httpUrl,
          default: '',
          description:
            'The monitor that commands ask (of a cluster: its dashboards); empty: the one that serves the data folder.',
        }),
      },
      section,
    ),
    log: Type.Object(
      {
        partitions: Type.Integer({
          env: 'LOG_PARTITIONS',
          minimum: 1,
          maximum: 1024,
          default: 4,
          description: 'Partitions of the topic posts, fixed at its creation.',
        }),
        retentionHours: Type.Number({
          env: 'LOG_RETENTION_HOURS',
          exclusiveMinimum: 0,
          default: 168,
          description: 'Age after which consumed posts may leave the log.',
        }),
        retentionMegabytes: Type.Number({
          env: 'LOG_RETENTION_MEGABYTES',
          exclusiveMinimum: 0,
          default: 4096,
          description:
            'Size of the topic posts above which consumed posts leave it, and unconsumed ones make push answer 503.',
        }),
      },
      section,
    ),
    sources: SourceList,
    fetching: SourceDefaults,
    pipeline: PipelineOptions,
    alerts: Type.Object(
      {
        bucketMs: Type.Integer({
          env: 'ALERTS_BUCKET_MS',
          minimum: 1_000,
          maximum: 600_000,
          default: 10_000,
          description: 'Length of a bucket of appendedAt.',
        }),
        closeGraceMs: Type.Integer({
          env: 'ALERTS_CLOSE_GRACE_MS',
          minimum: 0,
          maximum: 600_000,
          default: 5_000,
          description: 'How long after its end an idle partition closes a bucket.',
        }),
        freshnessMs: Type.Integer({
          env: 'ALERTS_FRESHNESS_MS',
          minimum: 1_000,
          default: 21_600_000,
          description:
            'Posts published longer ago than this when they arrive are stale: they raise no alert and teach no baseline.',
        }),
      },
      section,
    ),
    smtp: Type.Object(
      {
        url: Type.String({
          env: 'SMTP_URL',
          default: '',
          secret: true,
          description: 'Mail server, smtp://user:password@host:port; empty: no mail.',
        }),
        from: Type.String({
          env: 'SMTP_FROM',
          default: 'tickertone@localhost',
          description: 'Sender of alert mails.',
        }),
        to: Type.Array(Type.String({ minLength: 1 }), {
          env: 'SMTP_TO',
          default: [],
          description: 'Receivers of alert mails, comma separated.',
        }),
      },
      section,
    ),
    demo: Type.Object(
      {
        speed: Type.Number({
          env: 'DEMO_SPEED',
          exclusiveMinimum: 0,
          default: 4_320,
          description:
            'Source seconds that the bundled replay plays in one second (4320: a day in 20 s).',
        }),
        from: Type.String({
          env: 'DEMO_FROM',
          pattern: isoDay,
          default: '2020-06-26',
          description:
            'First day that the bundled replay plays live; the days before it teach the baselines.',
        }),
        to: Type.String({
          env: 'DEMO_TO',
          pattern: isoDay,
          default: '2020-07-02',
          description: 'Last day that it plays.',
        }),
      },
      section,
    ),
  },
  { additionalProperties: false },
)
export type Config = Type.Static<typeof Config>

export interface Leaf {
  readonly path: readonly string[]
  readonly schema: {
    readonly env?: string
    readonly type?: string
    readonly secret?: boolean
    readonly default?: unknown
    readonly description?: string
  }
}

/** Every option of the schema, in declaration order. Also feeds docs/configuration.md. */
export function leaves(schema: unknown = Config, path: readonly string[] = []): Leaf[] {
  const node = schema as { type?: string; properties?: Record<string, unknown> }
  if (node.type !== 'object') return [{ path, schema: node as Leaf['schema'] }]
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) =>
    leaves(child, [...path, key]),
  )
}

type Values = Readonly<Record<string, string | undefined>>

/** Defaults, then the file, then the environment, then flags (by the same names); every fault is reported at once. Throws `CONFIG`. */
export function loadConfig(options: {
  readonly file?: string | undefined
  readonly env?: Values
  readonly flags?: Values
}): Config {
  const raw = options.file === undefined ? {} : readConfigFile(options.file)
  const env: Values = { ...(options.env ?? process.env), ...defined(options.flags ?? {}) }
  for (const { path, schema } of leaves()) {
    const text = schema.env === undefined ? undefined : env[schema.env]
    if (text === undefined) continue
    put(raw, path, schema.type === 'array' ? splitList(text) : text)
  }
  const value = Value.Default(Config, Value.Convert(Config, raw))
  const { sources, faults } = checkSources(listOf(raw.sources))
  if (Value.Check(Config, value) && faults.length === 0) return { ...value, sources }
  throw new AppError(
    'CONFIG',
    `Invalid configuration: ${[...faultsOf(value), ...faults].join('; ')}`,
  )
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** A section of the file that is no object stays, for the check to find. */
function put(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = root
  for (const key of path.slice(0, -1)) {
    at[key] ??= {}
    const next = at[key]
    if (typeof next !== 'object' || next === null) return
    at = next as Record<string, unknown>
  }
  at[path.at(-1) ?? ''] = value
}

/** What the environment says where the configuration only names a variable, as it does for secrets of sources. */
export function environmentVariable(name: string): string | undefined {
  return process.env[name]
}

const workerVariables =
  /^(PATH|HOME|TMPDIR|TEMP|SystemRoot|LANG|TZ|(LD_LIBRARY|DYLD_LIBRARY)_PATH|(CUDA|NVIDIA|VK|XDG)_.*)$/

/** Of this process's environment what a worker process may see: where a GPU's libraries are, and nothing that is secret. */
export function workerEnvironment(env: Values = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && workerVariables.test(name) ? [[name, value]] : [],
    ),
  )
}

/** One phrase a fault: the option, the environment name that sets it, and what is wrong. */
function faultsOf(value: unknown): string[] {
  const faults = Value.Errors(Config, value).flatMap((error) => {
    const fault = faultOf(error)
    if (fault === undefined) return []
    const { option, wrong } = fault
    if (fault.unknown) return [`unknown option ${JSON.stringify(option)}`]
    const env = leaves().find(({ path }) => option.startsWith(path.join('.')))?.schema.env
    return [`${option}${env === undefined ? '' : ` (${env})`} ${wrong}`]
  })
  return [...new Set(faults)]
}

function defined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function readConfigFile(file: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new AppError('CONFIG', `Cannot read ${file}: ${describeError(cause)}`, { cause })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new AppError('CONFIG', `${file} must hold one JSON object`)
}
