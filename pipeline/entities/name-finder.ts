import { type NameRule, tokenKey } from './name-rule.ts'

/** A name as it stands in a text, before the rule of its kind is asked whether it counts. */
export interface NameMatch {
  readonly rule: NameRule
  readonly start: number
  readonly end: number
  readonly hashtag: boolean
  /** A possessive or a word such as 'shares' follows. */
  readonly supported: boolean
}

export interface NameFinder {
  find(text: string): readonly NameMatch[]
}

interface Token {
  readonly key: string
  readonly start: number
  readonly end: number
}

interface Node {
  readonly next: Map<string, Node>
  rule?: NameRule
}

/** Links, handles and cashtags are passed over whole; `&amp;` is a token, other HTML entities are not. */
const scan =
  /(?:https?:\/\/|www\.)\S+|[@$][\p{L}\p{N}_]+|&(?!amp;)#?\w{1,8};|&amp;|[\p{L}\p{N}]+|[&+]/gu
const passedOver = /^(?:https?:\/\/|www\.|[@$]|&.)/
/** What may stand between two words of one name: 'Coca-Cola', "McDonald's", 'J. P. Morgan'. */
const joint = /^[ \-.'’]{0,2}$/
const companyWords = new Set(
  `inc corp co company stock stocks share shares shareholders earnings ceo cfo revenue sales store stores investors
  employees s`.split(/\s+/),
)

/** Finds the longest known name at each place of a text, in one pass over its words. */
export function createNameFinder(names: Iterable<NameRule & { readonly key: string }>): NameFinder {
  const root: Node = { next: new Map() }
  const hashtags = new Map<string, NameRule>()
  for (const name of names) {
    insert(root, name.key.split(' '), name)
    const word = name.key.replace(/[ &]/g, '')
    if (name.rule !== 'never' && word.length > 2) hashtags.set(word, name)
  }
  return {
    find(text) {
      const tokens = tokenize(text)
      const found: NameMatch[] = []
      for (let i = 0; i < tokens.length; ) {
        const match = hashtagAt(text, tokens, i, hashtags) ?? longestAt(text, tokens, i, root)
        if (match) found.push(match.name)
        i += match?.length ?? 1
      }
      return found
    },
  }
}

function insert(root: Node, keys: readonly string[], rule: NameRule): void {
  let node = root
  for (const key of keys) {
    const next = node.next.get(key) ?? { next: new Map() }
    node.next.set(key, next)
    node = next
  }
  node.rule = rule
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const match of text.matchAll(scan)) {
    const word = match[0]
    if (word !== '&amp;' && passedOver.test(word)) continue
    tokens.push({ key: tokenKey(word), start: match.index, end: match.index + word.length })
  }
  return tokens
}

interface Found {
  readonly name: NameMatch
  readonly length: number
}

/** '#HomeDepot' is one word to a scanner but two to the gazetteer. */
function hashtagAt(
  text: string,
  tokens: readonly Token[],
  at: number,
  hashtags: ReadonlyMap<string, NameRule>,
): Found | undefined {
  const token = tokens[at]
  if (token === undefined || text[token.start - 1] !== '#') return undefined
  const rule = hashtags.get(token.key)
  if (rule === undefined) return undefined
  const { start, end } = token
  return { name: { rule, start, end, hashtag: true, supported: false }, length: 1 }
}

function longestAt(
  text: string,
  tokens: readonly Token[],
  at: number,
  root: Node,
): Found | undefined {
  let node: Node | undefined = root
  let best: Found | undefined
  const start = tokens[at]?.start ?? 0
  for (let i = at; node !== undefined; i++) {
    const token = tokens[i]
    if (token === undefined || (i > at && !joined(text, tokens[i - 1], token))) break
    node = node.next.get(token.key) ?? withoutGenitive(node, token.key)
    const rule: NameRule | undefined = node?.rule
    if (rule === undefined || !capitalised(rule, text.slice(start, token.end))) continue
    const supported = supports(text, token, tokens[i + 1])
    best = {
      name: { rule, start, end: token.end, hashtag: false, supported },
      length: i - at + 1,
    }
  }
  return best
}

function joined(text: string, left: Token | undefined, right: Token): boolean {
  return (
    left !== undefined &&
    right.start - left.end <= 2 &&
    joint.test(text.slice(left.end, right.start))
  )
}

function supports(text: string, last: Token, next: Token | undefined): boolean {
  return next !== undefined && joined(text, last, next) && companyWords.has(next.key)
}

/** Feeds drop apostrophes: 'Ciscos Scare', 'J.P. Morgans Warnings'. */
function withoutGenitive(node: Node, key: string): Node | undefined {
  return key.length > 5 && key.endsWith('s') ? node.next.get(key.slice(0, -1)) : undefined
}

/**
 * 'Ford' and 'FORD' for Ford, 'GE' alone for GE ('Ge' is not), 'Bank of America' with its small 'of', 'eBay' as it is
 * written or with a capital.
 */
function capitalised(name: NameRule, written: string): boolean {
  if (name.rule === 'any') return true
  const expected = name.written.match(/[\p{L}\p{N}]+/gu) ?? []
  const actual = written.replaceAll('&amp;', '&').match(/[\p{L}\p{N}]+/gu) ?? []
  return actual.every((word, i) => {
    const model = expected[i] ?? ''
    if (word === model) return true
    if (model.length > 1 && model.length < 4 && model === model.toUpperCase()) return false
    const first = word[0] ?? ''
    return first !== first.toLowerCase()
  })
}
