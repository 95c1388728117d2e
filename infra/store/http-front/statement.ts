/** A server's statement as the embedded engine takes it. */
import { quoteName, quoteText } from '../sql.ts'
import { ServerException } from './exception.ts'
import { type SqlToken, sqlTokens } from './sql-tokens.ts'

/** Of the statement without an insert's data; a server's default of `max_query_size`. */
const defaultQueryBytes = 262_144

/**
 * The statement with its parameters as literals (bound ones would queue all clients: see `inlineParams`), with `serverUUID()` as the
 * front's own, and with `FROM input(columns) ... FORMAT JSONEachRow` and data as `FROM format(JSONEachRow, columns, data)`, because
 * `input` stores nothing in the embedded engine. Throws `ServerException` where a server refuses.
 */
export function engineStatement(
  text: string,
  params: ReadonlyMap<string, string>,
  serverId: string,
  maxQueryBytes = defaultQueryBytes,
): string {
  const { head, data } = splitData(text)
  if (Buffer.byteLength(head.map((token) => token.text).join('')) > maxQueryBytes)
    throw ServerException.of(62, 'SYNTAX_ERROR', 'Syntax error: Max query size exceeded')
  refuseSeveral(head)
  const bound = withServerId(head, serverId).map((token) =>
    token.kind === 'parameter' ? { ...token, text: parameter(token.text, params) } : token,
  )
  const input = data === undefined ? undefined : inputCall(bound)
  if (input === undefined) return textOf(bound) + (data ?? '')
  return withRows(bound, input, data ?? '')
}

const textOf = (tokens: readonly SqlToken[]): string => tokens.map((token) => token.text).join('')

const isWord = (token: SqlToken | undefined, word: string): boolean =>
  token?.kind === 'word' && token.text.toUpperCase() === word

const isBlank = (token: SqlToken): boolean => token.kind === 'space' || token.kind === 'comment'

interface Split {
  readonly head: readonly SqlToken[]
  /** What follows FORMAT and its name, or VALUES, in an INSERT. */
  readonly data: string | undefined
}

/** Reads no further than to the data, which may be large and is no SQL. */
function splitData(text: string): Split {
  const head: SqlToken[] = []
  let first: SqlToken | undefined
  let formatNamed = false
  for (const token of sqlTokens(text)) {
    head.push(token)
    if (isBlank(token)) continue
    first ??= token
    if (!isWord(first, 'INSERT')) continue
    // `format(` is a function.
    if ((formatNamed && token.kind === 'word') || isWord(token, 'VALUES'))
      return { head, data: text.slice(token.at + token.text.length) }
    formatNamed = isWord(token, 'FORMAT')
  }
  return { head, data: undefined }
}

function refuseSeveral(head: readonly SqlToken[]): void {
  const end = head.findIndex((token) => token.text === ';' && token.kind === 'symbol')
  if (end >= 0 && head.slice(end + 1).some((token) => !isBlank(token) && token.text !== ';'))
    throw ServerException.of(62, 'SYNTAX_ERROR', 'Syntax error: Multi-statements are not allowed')
}

function withServerId(head: readonly SqlToken[], serverId: string): SqlToken[] {
  const tokens = [...head]
  for (const [at, token] of head.entries()) {
    const call = isWord(token, 'SERVERUUID') && head[at + 1]?.text === '('
    if (!call || head[at + 2]?.text !== ')') continue
    tokens[at] = { ...token, text: `toUUID(${quoteText(serverId)}` }
    tokens[at + 1] = { kind: 'space', text: '', at: token.at }
  }
  return tokens
}

function parameter(placeholder: string, params: ReadonlyMap<string, string>): string {
  const [, name = '', type = ''] = /^\{(\w+):(.+)\}$/s.exec(placeholder) ?? []
  const value = params.get(name)
  if (value === undefined)
    throw ServerException.of(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${name}\` is not set`)
  return literal(value, type.trim())
}

/** A value as it came, in the escaping of tab-separated values, except in lists, whose texts are quoted. */
function literal(value: string, type: string): string {
  if (/^(Array|Map|Tuple|Nested)\b/.test(type)) return `CAST(${quoteText(value)} AS ${type})`
  if (value === '\\N') return `CAST(NULL AS ${type})`
  const plain = unescaped(value)
  if (type === 'Identifier') return quoteName(plain)
  // A setting takes a literal alone, never an expression.
  return type === 'String' ? quoteText(plain) : `CAST(${quoteText(plain)} AS ${type})`
}

const escapes: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  b: '\b',
  f: '\f',
  '0': '\0',
}
const unescaped = (value: string): string =>
  value.replace(/\\([\s\S])/g, (_all, letter: string) => escapes[letter] ?? letter)

interface InputCall {
  readonly from: number
  /** Of its closing bracket. */
  readonly to: number
}

/** `input(...)` behind FROM. */
function inputCall(head: readonly SqlToken[]): InputCall | undefined {
  const solid = [...head.entries()].filter(([, token]) => !isBlank(token))
  const at = solid.findIndex(
    ([, token], place) =>
      isWord(token, 'INPUT') &&
      isWord(solid[place - 1]?.[1], 'FROM') &&
      solid[place + 1]?.[1].text === '(',
  )
  const call = solid.slice(at).find(([, token]) => token.text === ')')
  const start = solid[at]
  return at < 0 || start === undefined || call === undefined
    ? undefined
    : { from: start[0], to: call[0] }
}

function withRows(head: readonly SqlToken[], input: InputCall, data: string): string {
  const solid = head.filter((token) => !isBlank(token))
  const format = solid.at(-1)?.text ?? ''
  if (!isWord(solid.at(-2), 'FORMAT'))
    throw ServerException.of(48, 'NOT_IMPLEMENTED', 'input() takes its rows from FORMAT alone here')
  const clause = head.findLastIndex((token) => isWord(token, 'FORMAT'))
  const columns = textOf(head.slice(input.from + 1, input.to))
    .trimStart()
    .slice(1)
  return [
    textOf(head.slice(0, input.from)),
    `format(${format}, ${columns}, ${quoteText(data.trimStart())})`,
    textOf(head.slice(input.to + 1, clause)),
  ].join('')
}
