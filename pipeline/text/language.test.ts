import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { detectLanguage, isSupportedLanguage } from './language.ts'

const cases = [
  { name: 'English', text: 'Facebook falls as advertisers leave', expected: 'en' },
  { name: 'no letters', text: '🚀🚀 +5%', expected: 'en' },
  {
    name: 'Russian',
    text: 'Акции Сбербанка упали $SBER https://t.co/abcdefgh',
    expected: 'und-Cyrl',
  },
  { name: 'Russian as claimed', text: 'Акции упали', claimed: 'ru-RU', expected: 'ru' },
  {
    name: 'Russian claimed to be English',
    text: 'Акции упали',
    claimed: 'en',
    expected: 'und-Cyrl',
  },
  { name: 'Chinese', text: '苹果公司股价下跌', expected: 'zh' },
  { name: 'Japanese', text: '株価が下落した', expected: 'ja' },
  { name: 'Korean', text: '삼성전자 주가 하락', expected: 'ko' },
  { name: 'Arabic', text: 'انخفض سهم أرامكو', expected: 'und-Arab' },
  { name: 'a script without an entry', text: 'ხალხი', expected: 'und' },
  { name: 'an English post about 苹果', text: 'Apple (苹果) falls in Shanghai', expected: 'en' },
  { name: 'claimed German', text: 'Aktie fällt', claimed: 'de', expected: 'de' },
  { name: 'claimed American English', text: 'Stock falls', claimed: 'en-US', expected: 'en' },
  { name: 'a claim that is no tag', text: 'Stock falls', claimed: '???', expected: 'en' },
  {
    name: 'the limit: unclaimed Spanish passes for English',
    text: 'La acción cae',
    expected: 'en',
  },
]

for (const { name, text, claimed, expected } of cases)
  test(name, () => assert.equal(detectLanguage(text, claimed), expected))

test('only English is supported', () => {
  assert.equal(isSupportedLanguage('en'), true)
  assert.equal(isSupportedLanguage('de'), false)
  assert.equal(isSupportedLanguage('und-Cyrl'), false)
})

test('any text and claim has a tag', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, claimed) =>
      /^([a-z]{2,3})(-[A-Z][a-z]{3})?$/.test(detectLanguage(text, claimed)),
    ),
  )
})
