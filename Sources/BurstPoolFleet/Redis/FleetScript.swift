// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis

/// The script that executes every request on the server.
///
/// A fleet is one hash, so that a server that evicts keys loses all of it or nothing. Its fields:
///
/// - `settings`: total, floor, processes, and the term, member term and grace in milliseconds.
/// - `run`: the `run_id` of the server that executed the latest request. Another one means that the server was restarted or
///   replaced, and may have lost writes.
/// - `now`: the fleet clock in milliseconds. `wall`: the server's clock at that moment. The fleet clock never goes back, and
///   one request advances it by at most a quarter of the term, however far the server's clock has jumped.
/// - `recovery`: until when, by the fleet clock, no process joins and no member draws.
/// - `members`, `drawn`: the number of members, and the sum of their shares.
/// - `next`: a moment before which no term ends. Usually all members have renewed by then, so the members are
///   searched about once in each term, and other requests take O(1).
/// - `m:` and the name of a member: when it is forgotten, the number of its latest request, its share, and when the share returns.
enum FleetScript {
    static let script = RedisScript(
        """
        local key = KEYS[1]
        local operation, member = ARGV[1], ARGV[2]
        local number, held, wanted = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
        local settings = ARGV[6]

        local function numbers(text)
            local result = {}
            for word in string.gmatch(text, '%d+') do result[#result + 1] = tonumber(word) end
            return unpack(result)
        end
        local function text(value) return string.format('%.0f', value) end

        local total, floor, processes, term, member_term, grace = numbers(settings)
        local fields = redis.call('HMGET', key, 'settings', 'run', 'now', 'wall', 'recovery', 'next', 'members', 'drawn')
        local known_settings, known_run = fields[1], fields[2]
        local now, known_wall = tonumber(fields[3] or 0), tonumber(fields[4] or 0)
        local recovery, next_end = tonumber(fields[5] or 0), tonumber(fields[6] or 0)
        local members, drawn = tonumber(fields[7] or 0), tonumber(fields[8] or 0)

        -- The longest term in which a member of an earlier epoch may still use a share.
        local longest = term + grace
        local known_term = term
        if known_settings then
            local _, _, _, a_term, _, a_grace = numbers(known_settings)
            known_term = a_term
            longest = math.max(longest, a_term + a_grace)
        end

        local time = redis.call('TIME')
        local wall = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        if known_run then
            now = now + math.max(0, math.min(wall - known_wall, math.floor(known_term / 4)))
        end

        local information = redis.pcall('INFO', 'server')
        local run = type(information) == 'string' and string.match(information, 'run_id:(%w+)') or 'hidden'
        if run ~= known_run then recovery = now + longest end

        -- Ends the terms that have passed.
        if now >= next_end then
            members, drawn = 0, 0
            next_end = now + member_term
            local all = redis.call('HGETALL', key)
            for i = 1, #all, 2 do
                if string.sub(all[i], 1, 2) == 'm:' then
                    local forgets, latest, share, returns = numbers(all[i + 1])
                    if now >= forgets then
                        redis.call('HDEL', key, all[i])
                    else
                        if share > 0 and now >= returns then
                            share = 0
                            redis.call('HSET', key, all[i], table.concat({text(forgets), text(latest), '0', '0'}, ' '))
                        end
                        members = members + 1
                        drawn = drawn + share
                        next_end = math.min(next_end, forgets, share > 0 and returns or forgets)
                    end
                end
            end
        end

        local function save()
            redis.call('HSET', key, 'settings', settings, 'run', run, 'now', text(now), 'wall', text(wall), 'recovery',
                text(recovery), 'next', text(next_end), 'members', text(members), 'drawn', text(drawn))
        end
        local function reply(kind, share)
            save()
            return {kind, share, members, drawn, math.max(0, recovery - now)}
        end

        if known_settings and settings ~= known_settings then
            if members > 0 or now < recovery then
                local theirs = known_settings
                settings = known_settings
                save()
                return {'different', theirs}
            end
        end

        local field = 'm:' .. member
        local record = redis.call('HGET', key, field)
        local latest, share = 0, 0
        if record then
            local _, a_latest, a_share, returns = numbers(record)
            latest = a_latest
            share = a_share
            if number <= latest then return reply('outdated', 0) end
            -- A share whose term has ended, before the members were searched for such shares.
            if share > 0 and now >= returns then
                drawn = drawn - share
                share = 0
            end
        end

        if operation == 'leave' then
            if record then
                redis.call('HDEL', key, field)
                members = members - 1
                drawn = drawn - share
            end
            return reply('left', 0)
        end

        -- A member uses a share only within its own term, which is shorter. So if the server knows a smaller share, it has lost
        -- writes. A member that is unknown and holds no share was lost before the latest recovery, because a server recovers after
        -- each restart, unless it cannot notice restarts.
        local has_lost = held > share or (not record and run == 'hidden')
        if operation == 'renew' and now >= recovery and has_lost then recovery = now + longest end
        local recovering = now < recovery

        if not record then
            if operation == 'join' and recovering then return reply('recovering', 0) end
            if floor * (members + 1) + drawn > total then return reply('full', 0) end
            members = members + 1
        end
        drawn = drawn - share
        local free = total - floor * members - drawn
        local granted
        if recovering then
            granted = math.min(wanted, math.max(share, math.min(held, free)))
        else
            local room = math.max(0, total - floor * math.max(members, processes) - drawn - share)
            granted = math.min(wanted, share + room)
        end
        drawn = drawn + granted
        local forgets, returns = now + member_term + grace, now + term + grace
        next_end = math.min(next_end, forgets, returns)
        redis.call('HSET', key, field, table.concat({text(forgets), text(number), text(granted), text(returns)}, ' '))
        return reply('granted', granted)
        """
    )
}
