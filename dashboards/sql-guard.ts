/**
 * Decides whether analyst SQL may run. No setting of the engine makes foreign SQL safe (scalar `file()` passes `readonly = 1`, and
 * a subquery undoes outer settings), so the text is checked before it runs, by allow-list, and whatever is not known is refused:
 *
 * 1. The text travels as a bound string into formatQuerySingleLine, which parses it, refuses several statements and runs nothing.
 *    Only the engine's own text goes on.
 * 2. Its quoted names are plain words, since a line break in one would forge lines of the tree; and whatever stands before a bracket
 *    is on the list of functions, so that a part which the tree does not show calls nothing else.
 * 3. EXPLAIN AST of that text: every node of the tree is of a known type; tables, table functions and functions are on their lists.
 *
 * A table name that is on no list passes only if the database has no such table: then it is a name of the query's own WITH, or
 * the engine refuses it.
 */
import { describeError } from '../infra/errors.ts'
import type { QueryOptions, Store } from '../infra/store/store.ts'
import { allowedTableFunctions, isAllowedFunction, membershipFunctions } from './sql/functions.ts'
import { type Node, parseTree, walk } from './sql/tree.ts'
import { readWords } from './sql/words.ts'

export type Verdict =
  /** `statement` is one SELECT without settings, format or output file. */
  | { readonly kind: 'allowed'; readonly statement: string }
  | { readonly kind: 'refused'; readonly reason: string }

/** What analysts may read. */
export const readableTables: ReadonlySet<string> = new Set([
  'analyses',
  'posts_v',
  'mentions_v',
  'sentiment_per_minute_v',
  'served_v',
  'revisions_v',
  'serving',
  'shadow_posts_v',
  'labels_v',
  'label_judges_v',
  'label_accuracy_v',
])

const knownNodes: ReadonlySet<string> = new Set([
  'SelectWithUnionQuery',
  'SelectQuery',
  'SelectIntersectExceptQuery',
  'ExpressionList',
  'Subquery',
  'WithElement',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableIdentifier',
  'TableJoin',
  'ArrayJoin',
  'Identifier',
  'Function',
  'Literal',
  'Asterisk',
  'QualifiedAsterisk',
  'OrderByElement',
  'WindowDefinition',
  'WindowListElement',
])

const maxSqlLength = 20_000
const maxNodes = 5_000
const plainName = /^[\p{L}_][\p{L}\p{N}_. %/-]*$/u
const analyst: QueryOptions = { lane: 'analyst', maxExecutionMs: 5_000 }

const refused = (reason: string): Verdict => ({ kind: 'refused', reason })

export async function checkSql(store: Store, sql: string): Promise<Verdict> {
  if (sql.length > maxSqlLength) return refused(`SQL is limited to ${maxSqlLength} characters`)
  const statement = await format(store, sql)
  if (statement.kind === 'refused') return statement
  const wordFault = findWordFault(statement.statement)
  if (wordFault !== undefined) return refused(wordFault)
  const tree = await explain(store, statement.statement)
  if (tree === undefined) return refused('Only one plain SELECT is allowed')
  const fault = findFault(tree)
  if (fault !== undefined) return refused(fault)
  const foreign = await findExisting(store, unlistedTables(tree))
  if (foreign !== undefined) return refused(`Table ${foreign} is not readable here`)
  return statement
}

async function format(store: Store, sql: string): Promise<Verdict> {
  try {
    const [row] = await store.query<{ text: string }>(
      'SELECT formatQuerySingleLine({sql:String}) AS text',
      { sql },
      analyst,
    )
    const text = row?.text ?? ''
    return /^(?:SELECT|WITH|\()/.test(text)
      ? { kind: 'allowed', statement: text }
      : refused('Only SELECT is allowed')
  } catch (error) {
    return refused(describeError(error))
  }
}

async function explain(store: Store, statement: string): Promise<Node | undefined> {
  try {
    return parseTree(await store.syntaxTree(statement))
  } catch {
    return undefined
  }
}

function findWordFault(statement: string): string | undefined {
  const words = readWords(statement)
  if (words === undefined || !words.quoted.every((name) => plainName.test(name)))
    return 'Quoted names must be plain words, without control characters'
  const foreign = words.called.find(
    (name) => !isAllowedFunction(name) && !allowedTableFunctions.has(name),
  )
  return foreign === undefined ? undefined : `Function ${foreign} is not allowed here`
}

/** The first thing in the tree that is not allowed, in words. */
function findFault(tree: Node): string | undefined {
  let count = 0
  for (const { node, parent } of walk(tree)) {
    if (++count > maxNodes) return 'The query is too large'
    const fault = nodeFault(node, parent)
    if (fault !== undefined) return fault
  }
  return undefined
}

function nodeFault(node: Node, parent: Node | undefined): string | undefined {
  if (node.type === 'Set') return 'SETTINGS are not allowed'
  if (!knownNodes.has(node.type)) return `${node.type} is not allowed`
  if (node.alias !== '' && !plainName.test(node.alias)) return 'Aliases must be plain words'
  switch (node.type) {
    case 'SelectWithUnionQuery':
      return node.children.length === 1 && node.children[0]?.type === 'ExpressionList'
        ? undefined
        : 'FORMAT and INTO OUTFILE are not allowed'
    case 'Function':
      return functionFault(node, parent)
    case 'Identifier':
    case 'TableIdentifier':
      return plainName.test(node.name) ? undefined : 'Names must be plain words'
    default:
      return undefined
  }
}

function functionFault(node: Node, parent: Node | undefined): string | undefined {
  const isTable = parent?.type === 'TableExpression'
  const allowed = isTable ? allowedTableFunctions.has(node.name) : isAllowedFunction(node.name)
  return allowed ? undefined : `Function ${node.name} is not allowed here`
}

/** Names of tables, also on the right of IN, that are not on the list. */
function unlistedTables(tree: Node): string[] {
  const names = [...walk(tree)].flatMap(({ node }) => {
    if (node.type === 'TableIdentifier') return [node.name]
    if (node.type !== 'Function' || !membershipFunctions.has(node.name.toLowerCase())) return []
    const right = node.children[0]?.children[1]
    return right?.type === 'Identifier' ? [right.name] : []
  })
  return names.filter((name) => !readableTables.has(name))
}

/** The first of `names` that the database knows, or that names another database. */
async function findExisting(store: Store, names: readonly string[]): Promise<string | undefined> {
  if (names.length === 0) return undefined
  const qualified = names.find((name) => name.includes('.'))
  if (qualified !== undefined) return qualified
  const [row] = await store.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN {names:Array(String)} LIMIT 1',
    { names: [...names] },
    analyst,
  )
  return row?.name
}
