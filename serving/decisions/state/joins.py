"""Joins feedback to decisions in Redis: each event counts once, whichever replica receives it.

The facts of a decision are kept for `keeping.remembered_s`, as are events that arrive before it. One script recognizes
an event by its id, joins and counts it.
"""

from serving.decisions.state.scripts import RECORDING

_JOIN = (
    RECORDING
    + """
local function facts_key(decision) return tag .. ':facts:' .. decision end
local function waiting_key(decision) return tag .. ':waiting:' .. decision end
local function joined(event, facts)
  local item = cjson.decode(event)
  for name, value in pairs(cjson.decode(facts)) do item[name] = value end
  local answer = tried(record, item)
  return answer and answer[2] or 'broken'
end
"""
)

#: For each decision: the flags of the events that were waiting for it, as pairs of event id and flag.
EXPECT = (
    _JOIN
    + """
local function expect(item)
  redis.call('SET', facts_key(item.decision), item.facts, 'NX', 'EX', whole(options.remembered_s))
  local waiting, flags = waiting_key(item.decision), {}
  for _, event in ipairs(redis.call('LRANGE', waiting, 0, -1)) do
    local flag = joined(event, item.facts)
    if flag ~= '' then
      flags[#flags + 1] = cjson.decode(event).event
      flags[#flags + 1] = flag
    end
  end
  redis.call('DEL', waiting, waiting .. ':ids')
  return flags
end
return each(expect, function() return {} end)
"""
)

#: For each event: its status (`again`, `waits`, `joined`) and its flag.
TAKE = (
    _JOIN
    + """
local function take(item)
  if redis.call('EXISTS', tag .. ':event:' .. item.event) == 1 then return {'again', ''} end
  local facts, waiting = redis.call('GET', facts_key(item.decision)), waiting_key(item.decision)
  if facts then return {'joined', joined(item.told, facts)} end
  if redis.call('SADD', waiting .. ':ids', item.event) == 0 then return {'again', ''} end
  redis.call('RPUSH', waiting, item.told)
  for _, key in ipairs({waiting, waiting .. ':ids'}) do redis.call('EXPIRE', key, whole(options.remembered_s)) end
  return {'waits', ''}
end
return each(take, function() return {'joined', 'broken'} end)
"""
)
