/** The SQL that the embedded engine and a server share, and the two forms of an insert. */

export interface Column {
  readonly name: string
  readonly type: string
}

const ofPartition = 'WHERE log_topic = {logTopic:String} AND partition = {partition:UInt32}'

/** The tables that are written in blocks, each with its mark. `max` alone gives 0 for an empty partition, which would lose offset 0; `maxOrNull` is not answered by a projection. */
const marks = {
  analyses: `SELECT if(count() = 0, -1, max(offset)) AS mark FROM analyses ${ofPartition}`,
  rescored: `SELECT if(count() = 0, {from:Int64} - 1, max(offset)) AS mark FROM rescored ${ofPartition} AND revision = {revision:UInt32}`,
} as const
export type BlockTable = keyof typeof marks
export const markSql = (table: BlockTable): string => marks[table]

export const markMoved = 'MARK_MOVED'

/** The statement refuses itself when the partition's mark is not `{mark:Int64}`. */
const fenceOf = (table: BlockTable): string =>
  `WHERE throwIf((${markSql(table)}) != {mark:Int64}, '${markMoved}') = 0`

/** One insert is one part: nothing cuts it below 256 MiB, and nothing collects it with others. */
const insertSettings = [
  'async_insert = 0',
  'insert_deduplicate = 1',
  'min_insert_block_size_rows = 1000000',
  'min_insert_block_size_bytes = 268435456',
  'input_format_skip_unknown_fields = 0',
]

export interface InsertSql {
  readonly table: string
  readonly columns: readonly Column[]
  /** The table whose mark the insert builds on: its own. */
  readonly fence?: BlockTable
  /** Where the rows come from: the bound parameter `{body:String}`, or the request's body. */
  readonly rowsIn: 'parameter' | 'body'
  readonly maxExecutionMs: number
}

/** Fenced inserts bind `logTopic`, `partition`, `mark` and `token`; those of `rescored` also `revision` and `from`. */
export function insertSql(insert: InsertSql): string {
  const names = insert.columns.map((column) => quoteName(column.name)).join(', ')
  const structure = quoteText(
    insert.columns.map((column) => `${quoteName(column.name)} ${column.type}`).join(', '),
  )
  const settings = [
    ...insertSettings,
    executionLimit(insert.maxExecutionMs),
    ...(insert.fence ? ['insert_deduplication_token = {token:String}'] : []),
  ]
  const source =
    insert.rowsIn === 'parameter'
      ? `format(JSONEachRow, ${structure}, {body:String})`
      : `input(${structure})`
  return [
    `INSERT INTO ${quoteName(insert.table)} (${names})`,
    `SETTINGS ${settings.join(', ')}`,
    `SELECT ${names} FROM ${source}`,
    ...(insert.fence ? [fenceOf(insert.fence)] : []),
    ...(insert.rowsIn === 'body' ? ['FORMAT JSONEachRow'] : []),
  ].join('\n')
}

/** 64-bit integers come as numbers whatever the server's default. The line break ends a comment at the end of `sql`. */
export function querySql(sql: string, limits: { ms: number; bytes?: number | undefined }): string {
  const settings = [executionLimit(limits.ms), 'output_format_json_quote_64bit_integers = 0']
  if (limits.bytes !== undefined) settings.push(`max_memory_usage = ${limits.bytes}`)
  return `${sql}
SETTINGS ${settings.join(', ')}`
}

const executionLimit = (ms: number): string => `max_execution_time = ${ms / 1000}`

export const columnsSql =
  'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String} ORDER BY position'

export const quoteName = (name: string): string =>
  `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``

/** NUL too, because the embedded engine takes a statement as a C string. */
export const quoteText = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`
