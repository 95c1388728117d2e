import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { AppError } from '../../infra/errors.ts'
import { createLinker } from './link.ts'

const folder = mkdtempSync(join(tmpdir(), 'overrides-'))
after(() => rmSync(folder, { recursive: true }))
const header = 'written,instrument,name,type,from,until'

function write(...lines: string[]): string {
  const file = join(folder, 'overrides.csv')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}

test("the user's word wins over the tables", () => {
  const overridesFile = write(
    header,
    '$AAPL,us:ACME,Acme Rockets,company,2026-01-01,',
    'Acme Rockets,us:ACME,,,,',
    '$STUDY,,,,,',
    'Facebook,,,,,',
    'Zuckerberg,cik:1326801,,,,',
    '$DOW,index:DJI,,,,',
  )
  const linker = createLinker({ overridesFile })
  const link = (text: string, at: string) =>
    linker.link({ text }, new Date(at)).map(({ instrument }) => instrument)
  assert.deepEqual(link('$AAPL and Acme Rockets', '2026-02-01'), ['us:ACME'])
  assert.deepEqual(link('$AAPL', '2020-02-01'), ['cik:320193'])
  assert.deepEqual(link('$STUDY Facebook', '2020-02-01'), [])
  assert.deepEqual(link('Zuckerberg on $DOW', '2020-02-01'), ['cik:1326801', 'index:DJI'])
  assert.deepEqual(linker.link({ text: '', tickers: ['STUDY'] }, new Date()), [])
  assert.equal(linker.instrument('us:ACME')?.name, 'Acme Rockets')
})

const faults = [
  {
    name: 'an unknown column',
    lines: ['written,instrument,colour'],
    expected: /columns are written/,
  },
  { name: 'a missing column', lines: ['instrument'], expected: /columns are written/ },
  { name: 'a row too long', lines: ['written,instrument', 'A,b,c'], expected: /line 2: / },
  { name: 'an open quote', lines: [header, '"A,b'], expected: /line \d+: / },
  { name: 'nothing written', lines: [header, ',us:A,,,,'], expected: /line 2: written is empty/ },
  {
    name: 'no cashtag',
    lines: [header, '$5,us:A,,,,'],
    expected: /line 2: '\$5' is not a cashtag/,
  },
  { name: 'a type', lines: [header, '$A,us:A,A,bond,,'], expected: /line 2: type 'bond'/ },
  { name: 'a date', lines: [header, '$A,us:A,A,,2026-02-30,'], expected: /line 2: '2026-02-30'/ },
  {
    name: 'dates in the wrong order',
    lines: [header, '', '$A,us:A,A,,2026-02-01,2026-01-01'],
    expected: /line 3: from is not before until/,
  },
  {
    name: 'a nameless instrument',
    lines: [header, '$A,us:NEW,,,,'],
    expected: /line 2: .*needs a name/,
  },
]

for (const { name, lines, expected } of faults)
  test(`overrides refused: ${name}`, () => {
    const overridesFile = write(...lines)
    assert.throws(
      () => createLinker({ overridesFile }),
      (error) =>
        error instanceof AppError && error.code === 'CONFIG' && expected.test(error.message),
    )
  })

test('a file that is not there is named', () => {
  const overridesFile = join(folder, 'absent.csv')
  assert.throws(() => createLinker({ overridesFile }), /absent\.csv: ENOENT/)
})
