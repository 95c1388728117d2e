/** SQL cut into the pieces that matter to who rewrites it: what stands in a text, a name or a comment is none of its words. */

export interface SqlToken {
  readonly kind: 'word' | 'parameter' | 'symbol' | 'text' | 'quoted-name' | 'comment' | 'space'
  readonly text: string
  readonly at: number
}

const pieces = new RegExp(
  [
    "(?<text>'(?:[^'\\\\]|\\\\[\\s\\S]|'')*'|\\$(?<tag>\\w*)\\$[\\s\\S]*?\\$\\k<tag>\\$)",
    '(?<quoted>`(?:[^`\\\\]|\\\\[\\s\\S]|``)*`|"(?:[^"\\\\]|\\\\[\\s\\S]|"")*")',
    '(?<comment>--[^\\n]*|#[ !][^\\n]*|/\\*[\\s\\S]*?\\*/)',
    '(?<parameter>\\{\\w+:[^{}]+\\})',
    '(?<word>[\\w$]+)',
    '(?<space>\\s+)',
    '(?<symbol>[\\s\\S])',
  ].join('|'),
  'uy',
)

export function* sqlTokens(sql: string): Generator<SqlToken> {
  const pattern = new RegExp(pieces)
  for (let found = pattern.exec(sql); found !== null; found = pattern.exec(sql))
    yield { kind: kindOf(found.groups ?? {}), text: found[0], at: found.index }
}

function kindOf(groups: Readonly<Record<string, string | undefined>>): SqlToken['kind'] {
  if (groups.text !== undefined) return 'text'
  if (groups.quoted !== undefined) return 'quoted-name'
  if (groups.comment !== undefined) return 'comment'
  if (groups.parameter !== undefined) return 'parameter'
  if (groups.word !== undefined) return 'word'
  return groups.space === undefined ? 'symbol' : 'space'
}
