/**
 * Reads the lines of EXPLAIN AST back into a tree. The text is only indentation and counts, so a name with a line break can
 * forge lines: every count must fit, every line must have a known form, or the whole tree is refused.
 */

export interface Node {
  readonly type: string
  /** What stands behind the type: a function's or table's name, a literal's value; '' for most. */
  readonly name: string
  readonly alias: string
  readonly children: readonly Node[]
}

interface OpenNode extends Node {
  readonly depth: number
  readonly expected: number
  readonly children: OpenNode[]
}

const linePattern =
  /^( *)([A-Z][A-Za-z]*)(?: (.*?))??(?: \(alias (.*?)\))?(?: \(children (\d{1,6})\))?$/

/** `undefined` when the lines are not one well-formed tree. */
export function parseTree(lines: readonly string[]): Node | undefined {
  const path: OpenNode[] = []
  let root: OpenNode | undefined
  for (const line of lines) {
    const node = parseLine(line)
    if (node === undefined || node.depth > path.length) return undefined
    if (!path.splice(node.depth).every(isComplete)) return undefined
    const parent = path.at(-1)
    if (parent === undefined && root !== undefined) return undefined
    root ??= node
    parent?.children.push(node)
    path.push(node)
  }
  return path.every(isComplete) ? root : undefined
}

const isComplete = (node: OpenNode): boolean => node.children.length === node.expected

function parseLine(line: string): OpenNode | undefined {
  const match = linePattern.exec(line)
  if (match === null) return undefined
  const [, indent = '', type = '', name = '', alias = '', expected = '0'] = match
  return { depth: indent.length, type, name, alias, expected: Number(expected), children: [] }
}

/** The node and everything below it, each with its parent. */
export function* walk(
  node: Node,
  parent?: Node,
): Generator<{ node: Node; parent: Node | undefined }> {
  yield { node, parent }
  for (const child of node.children) yield* walk(child, node)
}
