-- http-request lua.latchkey URL: asks Latchkey about a request. If it may go on, its headers say whose it is, and txn.latchkey
-- is "allowed"; a refusal is answered as Latchkey words it.
-- Of one try; HAProxy makes four.
local timeout_ms = 1000
local asks_with = { 'x-api-key', 'authorization', 'dpop', 'origin', 'access-control-request-method' }
local says_who = { 'x-latchkey-subject', 'x-latchkey-key-id', 'x-latchkey-permissions' }
local says_why = { 'content-type', 'www-authenticate', 'retry-after', 'ratelimit', 'ratelimit-policy' }
-- The response has them, too: how much is left of the limits of an API key.
local says_limits = { ['ratelimit'] = 'txn.latchkey_rate_limit', ['ratelimit-policy'] = 'txn.latchkey_rate_limit_policy' }
local refusals = { [400] = true, [401] = true, [403] = true, [429] = true }

local function some(headers, names)
  local found = {}
  for _, name in ipairs(names) do
    for _, value in pairs(headers[name] or {}) do
      found[name] = found[name] or {}
      table.insert(found[name], value)
    end
  end
  return found
end

core.register_action('latchkey', { 'http-req' }, function(txn, url)
  -- All of them: Latchkey refuses what came twice.
  local headers = some(txn.http:req_get_headers(), asks_with)
  headers['x-original-uri'] = { txn.sf:pathq() }
  headers['x-original-method'] = { txn.sf:method() }
  headers['x-forwarded-for'] = { txn.sf:src() }
  headers['x-forwarded-host'] = { txn.sf:req_hdr('host') }
  headers['x-forwarded-proto'] = { txn.sf:req_hdr('x-forwarded-proto') }
  local answer = core.httpclient():get({ url = url, headers = headers, timeout = timeout_ms })
  if answer.status == 200 then
    local who = some(answer.headers, says_who)
    for _, name in ipairs(says_who) do
      txn.http:req_set_header(name, who[name] and who[name][1] or '')
    end
    for name, variable in pairs(says_limits) do
      if answer.headers[name] then txn:set_var(variable, answer.headers[name][0]) end
    end
    txn:set_var('txn.latchkey', 'allowed')
  elseif refusals[answer.status] then
    txn:done(txn:reply({ status = answer.status, headers = some(answer.headers, says_why), body = answer.body }))
  end
end, 1)
