import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { packageRoot } from '../../infra/package-root.ts'
import { detectLanguage, isSupportedLanguage } from './language.ts'

interface Case {
  readonly name: string
  readonly text: string
  readonly claimed?: string
  readonly expected: string
}

const scripts: readonly Case[] = [
  { name: 'Russian', text: 'Акции Сбербанка упали $SBER https://t.co/ab', expected: 'und-Cyrl' },
  { name: 'Chinese', text: '苹果公司股价下跌', expected: 'zh' },
  { name: 'Chinese about Latin names', text: '特斯拉Model Y销量上升 $TSLA', expected: 'zh' },
  { name: 'Chinese glued to a cashtag and tickers', text: 'NVDA AMD大涨$TSLA上涨', expected: 'zh' },
  { name: 'Chinese after a link', text: 'https://t.co/abcdefgh股价下跌', expected: 'zh' },
  { name: 'a Chinese hashtag', text: '#特斯拉股价上涨#', expected: 'zh' },
  { name: 'Japanese', text: '株価が下落した', expected: 'ja' },
  { name: 'half-width Japanese', text: 'ﾄﾖﾀ株価ｶﾞ下落', expected: 'ja' },
  { name: 'Korean', text: '삼성전자 주가 하락', expected: 'ko' },
  { name: 'Arabic', text: 'انخفض سهم أرامكو', expected: 'und-Arab' },
  { name: 'a script without an entry', text: 'ხალხი', expected: 'und' },
  { name: 'English about 苹果', text: 'Apple (苹果) falls in Shanghai', expected: 'en' },
  { name: 'English in mathematical letters', text: '𝐁𝐫𝐞𝐚𝐤𝐢𝐧𝐠 𝐧𝐞𝐰𝐬', expected: 'en' },
]

const latin: readonly Case[] = [
  { name: 'English', text: 'Facebook falls as advertisers leave', expected: 'en' },
  { name: 'nothing', text: '', expected: 'en' },
  { name: 'emoji and numbers', text: '🚀🚀 +5%', expected: 'en' },
  { name: 'a cashtag', text: '$TSLA', expected: 'en' },
  { name: 'tickers only', text: '$DAX $SAP ADS BMW DTE', expected: 'en' },
  { name: 'one word', text: 'ok', expected: 'en' },
  { name: 'Indian names', text: 'Pawan Munjal elevated as new Vice Chairman', expected: 'en' },
  { name: 'a dividend notice', text: '$PEP - PepsiCo declares $0.955 dividend', expected: 'en' },
  { name: 'Hinglish', text: 'Kal market girega ya badhega? buy karo bhai', expected: 'en' },
  {
    name: 'German',
    text: '$SAP Die Aktie fällt nach den Zahlen deutlich https://t.co/ab',
    expected: 'de',
  },
  {
    name: 'Spanish',
    text: 'La acción de $TEF cae un 5% tras los resultados del trimestre',
    expected: 'es',
  },
  {
    name: 'shouted Spanish',
    text: 'EL GOBIERNO COMPRA ACCIONES DE LA EMPRESA EN LA BOLSA',
    expected: 'es',
  },
  { name: 'the limit: two Spanish words are too few', text: 'acción cae', expected: 'en' },
]

const english = 'Stocks fall as the market waits for earnings'
const claims: readonly Case[] = [
  { name: 'German', text: english, claimed: 'de', expected: 'de' },
  { name: 'American English', text: english, claimed: 'en-US', expected: 'en' },
  { name: 'with an underscore', text: english, claimed: 'pt_BR', expected: 'pt' },
  { name: 'traditional Chinese', text: '蘋果公司股價下跌', claimed: 'zh-Hant-TW', expected: 'zh' },
  { name: 'three letters', text: english, claimed: 'ger', expected: 'de' },
  { name: 'Russian', text: 'Акции упали', claimed: 'ru-RU', expected: 'ru' },
  { name: 'English for Russian letters', text: 'Акции упали', claimed: 'en', expected: 'und-Cyrl' },
  { name: 'undetermined', text: english, claimed: 'und', expected: 'en' },
  { name: 'no tag', text: english, claimed: '???', expected: 'en' },
  { name: 'a name, not a tag', text: english, claimed: 'german', expected: 'en' },
]

describe('detectLanguage', () => {
  for (const { name, text, expected } of [...scripts, ...latin])
    test(`recognises: ${name}`, () => assert.equal(detectLanguage(text).language, expected))

  for (const { name, text, claimed, expected } of claims)
    test(`hears a claim: ${name}`, () =>
      assert.equal(detectLanguage(text, claimed).language, expected))

  test('gives a claimed language confidence 1, and doubtful English a low one', () => {
    assert.equal(detectLanguage('acción cae', 'es').confidence, 1)
    const doubtful = detectLanguage('acción cae')
    assert.equal(doubtful.language, 'en')
    assert.ok(doubtful.confidence < detectLanguage(english).confidence)
    assert.ok(detectLanguage(english).confidence > 0.99)
  })

  const anyText = fc.string({ unit: 'binary', maxLength: 300 })

  test('gives any text and claim a tag and a confidence from 0 to 1', () => {
    fc.assert(
      fc.property(anyText, fc.string(), (text, claimed) => {
        const { language, confidence } = detectLanguage(text, claimed)
        assert.match(language, /^([a-z]{2,3})(-[A-Z][a-z]{3})?$/)
        assert.ok(confidence >= 0 && confidence <= 1)
      }),
    )
  })

  test('takes a claim of any language that no expert reads', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom('de', 'es', 'ja', 'zh', 'ru'), (text, claimed) => {
        assert.deepEqual(detectLanguage(text, claimed), { language: claimed, confidence: 1 })
      }),
    )
  })

  test('hears the same with links, handles, hashtags and cashtags around a text', () => {
    const tag = fc.constantFrom(
      '$SAP',
      '@user',
      '#stocks',
      'https://t.co/aB3dE5fG7h',
      '+3.2%',
      '🚀',
    )
    const sentence = fc.oneof(
      fc.constantFrom(...[...scripts, ...latin].map(({ text }) => text)),
      anyText,
    )
    fc.assert(
      fc.property(sentence, fc.array(tag), fc.array(tag), (text, before, after) => {
        const dressed = [...before, text, ...after].join(' ')
        assert.deepEqual(detectLanguage(dressed), detectLanguage(text))
      }),
    )
  })
})

test('only English is supported', () => {
  assert.equal(isSupportedLanguage('en'), true)
  assert.equal(isSupportedLanguage('de'), false)
  assert.equal(isSupportedLanguage('und-Cyrl'), false)
})

describe('detectLanguage on the bundled texts', () => {
  const rowsOf = (file: string): { text: string; language?: string }[] =>
    readFileSync(join(packageRoot, 'data', file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

  test('takes at most 0.5% of the English posts for another language', () => {
    const posts = rowsOf('market-tweets-2020.ndjson')
    const taken = posts.filter(({ text }) => detectLanguage(text).language !== 'en')
    assert.ok(posts.length > 4_000)
    assert.ok(taken.length <= 0.005 * posts.length, `${taken.length} of ${posts.length}`)
  })

  const floors = [
    { language: 'de', floor: 0.98 },
    { language: 'es', floor: 0.93 },
    { language: 'ja', floor: 0.99 },
    { language: 'zh', floor: 0.99 },
  ]
  for (const { language, floor } of floors)
    test(`finds at least ${floor} of 200 texts in ${language}`, () => {
      const texts = rowsOf('other-languages.ndjson').filter((row) =>
        row.language?.startsWith(language),
      )
      const found = texts.filter(({ text }) => detectLanguage(text).language === language)
      assert.equal(texts.length, 200)
      assert.ok(found.length >= floor * texts.length, `${found.length} of ${texts.length}`)
    })
})
