-- LuaHookAccessChecker: asks Latchkey about a request. If it may go on, its headers say whose it is. Httpd answers 500 after an
-- error in here.
local http = require 'socket.http'
local socket = require 'socket'

local timeout_seconds = 3
local asks_with = { 'X-API-Key', 'Authorization', 'DPoP', 'Origin', 'Access-Control-Request-Method' }
local says_who = { 'X-Latchkey-Subject', 'X-Latchkey-Key-Id', 'X-Latchkey-Permissions' }
local says_why = { 'WWW-Authenticate', 'Retry-After' }
local says_limits = { 'RateLimit', 'RateLimit-Policy' }
local refusals = { [400] = true, [401] = true, [403] = true, [429] = true }
local kept_of_connection = { close = true, ['keep-alive'] = true, upgrade = true }

-- A limit for the whole question, not for each of its parts.
local function connection()
  local made = socket.tcp()
  made:settimeout(timeout_seconds, 't')
  return made
end

-- What a client says of itself under these names counts for nothing; some APIs read "_" as "-".
local function forget_claims(r)
  for name in pairs(r:headers_in_table()) do
    if name:lower():gsub('_', '-'):find('^x%-latchkey%-') then r.headers_in[name] = nil end
  end
  -- Headers that are named here do not reach the API: a client must not name ours.
  local kept = {}
  for name in (r.headers_in['Connection'] or ''):gmatch('[^%s,]+') do
    if kept_of_connection[name:lower()] then table.insert(kept, name) end
  end
  r.headers_in['Connection'] = table.concat(kept, ', ')
end

function ask(r)
  local headers = {
    ['X-Original-URI'] = r.unparsed_uri,
    ['X-Original-Method'] = r.method,
    ['X-Forwarded-For'] = r.useragent_ip,
    ['X-Forwarded-Host'] = r.headers_in['Host'],
    ['X-Forwarded-Proto'] = r.is_https and 'https' or 'http',
  }
  for _, name in ipairs(asks_with) do headers[name] = r.headers_in[name] end
  forget_claims(r)
  local url = r.subprocess_env['latchkey']
  local _, status, answer = http.request({ url = url, headers = headers, redirect = false, create = connection })
  -- How much is left of the limits of an API key.
  if answer then
    for _, name in ipairs(says_limits) do r.err_headers_out[name] = answer[name:lower()] end
  end
  if status == 200 then
    for _, name in ipairs(says_who) do r.headers_in[name] = answer[name:lower()] or '' end
    -- The API has no use for the key itself.
    r.headers_in['X-API-Key'] = nil
    return apache2.OK
  end
  if not refusals[status] then return 503 end
  for _, name in ipairs(says_why) do r.err_headers_out[name] = answer[name:lower()] end
  return status
end
