import { expect, test } from 'vitest'
import { bindParameters } from '../../src/athena/parameters'

test.each([
  ['SELECT * FROM t WHERE a = ? AND b IN (?, ?)', ["'x'", '3', '-1.5'], "SELECT * FROM t WHERE a = 'x' AND b IN (3, -1.5)"],
  ['SELECT \'?\', "?", ? -- ?\n /* ? */', ["DATE '2026-11-24'"], "SELECT '?', \"?\", DATE '2026-11-24' -- ?\n /* ? */"],
  ['SELECT ?', ["'it''s ?'"], "SELECT 'it''s ?'"],
  ['SELECT ? * 2', ['1 + 1'], 'SELECT (1 + 1\n) * 2'],
  ['SELECT a = ?', ['1 OR 1 = 1 -- x'], 'SELECT a = (1 OR 1 = 1 -- x\n)'],
  ['SELECT ?', ["CAST('a' AS varchar)"], "SELECT (CAST('a' AS varchar)\n)"],
  ['SELECT 1', [], 'SELECT 1'],
])('%s with %j', (sql, parameters, bound) => {
  expect(bindParameters(sql, parameters)).toBe(bound)
})

test.each([
  ['SELECT ?', [], /expected 1 but found 0/],
  ['SELECT 1', ['1'], /expected 0 but found 1/],
  ['SELECT ?', ['1) OR (1'], /parameter 1 is not one expression: "\)"/],
  ['SELECT ?', ['1; DROP TABLE t'], /";" stands in it/],
  ['SELECT ?', ['1, 2'], /"," stands in it/],
  ['SELECT ?', ["'abc"], /unterminated string/],
  ['SELECT ?', ['(1'], /a bracket is not closed/],
  ['SELECT ?', [' '], /it is empty/],
])('%s with %j fails', (sql, parameters, error) => {
  expect(() => bindParameters(sql, parameters)).toThrow(error)
})
