import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeDocument } from './charset.ts'

const bytes = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding)
const xml = (encoding: string, text: string) =>
  `<?xml version="1.0" encoding="${encoding}"?><t>${text}</t>`
const withMark = (mark: readonly number[], body: Buffer) => Buffer.concat([Buffer.from(mark), body])

describe('decodeDocument', () => {
  for (const { name, body, contentType, expected } of [
    { name: 'UTF-8 without a word', body: bytes('Müller €'), expected: 'Müller €' },
    {
      name: 'UTF-8 that the header calls Latin-1',
      body: bytes(xml('utf-8', 'Müller €')),
      contentType: 'text/xml; charset=iso-8859-1',
      expected: xml('utf-8', 'Müller €'),
    },
    {
      name: 'Latin-1 by its prolog',
      body: bytes(xml('ISO-8859-1', 'Müller'), 'latin1'),
      expected: xml('ISO-8859-1', 'Müller'),
    },
    {
      name: 'windows-1252 that calls itself Latin-1: quotes and the euro',
      body: withMark(
        [],
        Buffer.concat([
          bytes('<?xml version="1.0" encoding="iso-8859-1"?>'),
          Buffer.from([0x93, 0x80, 0x94]),
        ]),
      ),
      expected: '<?xml version="1.0" encoding="iso-8859-1"?>“€”',
    },
    {
      name: 'windows-1252 that calls itself UTF-8',
      body: bytes(xml('utf-8', 'Müller'), 'latin1'),
      contentType: 'application/xml; charset="utf-8"',
      expected: xml('utf-8', 'Müller'),
    },
    {
      name: 'the header before the prolog',
      body: Buffer.concat([
        bytes('<?xml version="1.0" encoding="iso-8859-1"?>'),
        Buffer.from([0xcf, 0xf0, 0xe8]),
      ]),
      contentType: 'text/xml;charset=windows-1251',
      expected: '<?xml version="1.0" encoding="iso-8859-1"?>При',
    },
    {
      name: 'Shift_JIS',
      body: Buffer.concat([
        bytes('<?xml version="1.0" encoding="Shift_JIS"?>'),
        Buffer.from([0x93, 0xfa, 0x8c, 0x6f]),
      ]),
      expected: '<?xml version="1.0" encoding="Shift_JIS"?>日経',
    },
    {
      name: 'UTF-8 with a mark, which is no character of it',
      body: withMark([0xef, 0xbb, 0xbf], bytes('Müller')),
      contentType: 'text/xml; charset=iso-8859-1',
      expected: 'Müller',
    },
    {
      name: 'UTF-16LE by its mark',
      body: withMark([0xff, 0xfe], bytes('Mü', 'utf16le')),
      expected: 'Mü',
    },
    {
      name: 'UTF-16BE by its mark',
      body: withMark([0xfe, 0xff], Buffer.from([0, 0x4d, 0, 0xfc])),
      expected: 'Mü',
    },
    {
      name: 'a prolog that says UTF-16 in single bytes',
      body: bytes(xml('UTF-16', 'plain')),
      expected: xml('UTF-16', 'plain'),
    },
    {
      name: 'an encoding that nobody knows',
      body: bytes(xml('x-mac-klingon', 'Müller'), 'latin1'),
      expected: xml('x-mac-klingon', 'Müller'),
    },
    { name: 'nothing', body: bytes(''), expected: '' },
  ])
    it(`reads ${name}`, () => {
      assert.equal(decodeDocument(body, contentType), expected)
    })
})
