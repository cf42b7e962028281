using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Scripts through StackExchange.Redis, and what comes back from them.</summary>
internal sealed class ScriptTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    private readonly bool resp3 = protocol == RedisProtocol.Resp3;

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("script results of all shapes", Results),
        Test("script results of RESP3", Resp3Results),
        Test("script errors", Errors),
        Test("keys and arguments of scripts", KeysAndArguments),
        Test("LuaScript.Prepare takes parameters by name", Prepared),
        Test("LuaScript.Load, and a server that has lost the script", Loaded),
        Test("scripts are known by their hash", Hashes),
        Test("read-only scripts", ReadOnly),
        Test("scripts are atomic for many callers", ManyCallers),
        Test("cjson, cmsgpack, struct and bit", Libraries),
        Test("the script of older distributed caches", OlderDistributedCache),
        Test("the scripts of classic session state", ClassicSessionState),
    ];

    private static Task<RedisResult> RunAsync(IDatabase db, string script) =>
        db.ScriptEvaluateAsync(script);

    private async Task Results(IDatabase db)
    {
        Check.Equal(42, (int)await RunAsync(db, "return 42"));
        Check.Equal(-3, (int)await RunAsync(db, "return -3.99"));
        Check.Equal("text", (string?)await RunAsync(db, "return 'text'"));
        Check.Equal(1, (int)await RunAsync(db, "return true"));
        Check.True((await RunAsync(db, "return false")).IsNull);
        Check.True((await RunAsync(db, "return nil")).IsNull);
        Check.True((await RunAsync(db, "local x = 1")).IsNull);
        Check.Equal("FINE", (string?)await RunAsync(db, "return {ok = 'FINE'}"));
        Check.Equal("OK", (string?)await RunAsync(db, "return redis.call('SET', 'k', 'v')"));
        Check.Equal("v", (string?)await RunAsync(db, "return redis.call('GET', 'k')"));
        Check.True((await RunAsync(db, "return redis.call('GET', 'none')")).IsNull);
        Check.Equal(0, (await RunAsync(db, "return {}")).Length);
        RedisResult nested = await RunAsync(db, "return {1, 'two', {3, {}}, false, 5, nil, 7}");
        Check.Equal(5, nested.Length); // up to the nil
        Check.Equal(1, (int)nested[0]);
        Check.Equal("two", (string?)nested[1]);
        Check.Equal(3, (int)nested[2][0]);
        Check.Equal(0, nested[2][1].Length);
        Check.True(nested[3].IsNull);
        Check.Equal(5, (int)nested[4]);
        byte[] binary = (byte[])(await RunAsync(db, @"return '\0\r\n\255'"))!;
        Check.True(binary.AsSpan().SequenceEqual((ReadOnlySpan<byte>)[0, 13, 10, 255]));
        Check.Equal(1 << 20, ((string)(await RunAsync(db, "return ('x'):rep(2^20)"))!).Length);
        Check.True(((int[])(await RunAsync(db,
            "local t = {}; for i = 1, 10000 do t[i] = i end; return t"))!)
            .SequenceEqual(Enumerable.Range(1, 10_000)));
        await db.HashSetAsync("h", [new("a", "1"), new("b", "2")]);
        Dictionary<string, RedisResult> hash =
            (await RunAsync(db, "return redis.call('HGETALL', 'h')")).ToDictionary();
        Check.Equal(2, hash.Count);
        Check.Equal(2, (int)hash["b"]);
        Check.Equal(ResultType.Array, (await RunAsync(db,
            "return redis.call('HGETALL', 'h')")).Resp3Type); // a script speaks RESP2 unless told
    }

    private async Task Resp3Results(IDatabase db)
    {
        await db.HashSetAsync("h", [new("a", "1"), new("b", "2")]);
        await db.SetAddAsync("s", ["x", "y"]);
        await db.SortedSetAddAsync("z", "m", 1.5);
        RedisResult map = await RunAsync(
            db, "redis.setresp(3); return redis.call('HGETALL', 'h')");
        Check.Equal(resp3 ? ResultType.Map : ResultType.Array, map.Resp3Type);
        Check.Equal(2, (int)map.ToDictionary()["b"]);
        RedisResult set = await RunAsync(
            db, "redis.setresp(3); return redis.call('SMEMBERS', 's')");
        Check.Equal(resp3 ? ResultType.Set : ResultType.Array, set.Resp3Type);
        Check.Equal("x,y", Sorted((RedisValue[])set!));
        RedisResult score = await RunAsync(
            db, "redis.setresp(3); return redis.call('ZSCORE', 'z', 'm')");
        Check.Equal(1.5, (double)score);
        Check.Equal(resp3 ? ResultType.Double : ResultType.BulkString, score.Resp3Type);
        RedisResult yes = await RunAsync(db, "redis.setresp(3); return true");
        Check.Equal(resp3 ? ResultType.Boolean : ResultType.Integer, yes.Resp3Type);
        Check.True((bool)yes);
        Check.Equal(0.25, (double)await RunAsync(db, "redis.setresp(3); return {double = 0.25}"));
        RedisResult made = await RunAsync(db, "redis.setresp(3); return {map = {one = 1}}");
        Check.Equal(1, (int)made.ToDictionary()["one"]);
    }

    private static async Task Errors(IDatabase db)
    {
        async Task<string> Message(string script) =>
            (await Check.ThrowsAsync<RedisServerException>(() => RunAsync(db, script))).Message;

        await db.StringSetAsync("k", "text");
        Check.Equal("MY own error", await Message("return redis.error_reply('MY own error')"));
        Check.Equal("MY other error", await Message("return {err = 'MY other error'}"));
        Check.True((await Message("return redis.call('INCR', 'k')"))
            .StartsWith("ERR value is not an integer or out of range", StringComparison.Ordinal));
        Check.True((await Message("return redis.call('LPUSH', 'k', 'x')"))
            .StartsWith(WrongType, StringComparison.Ordinal));
        Check.True((await Message("error('thrown')")).Contains("thrown", StringComparison.Ordinal));
        Check.True((await Message("this is no Lua"))
            .StartsWith("ERR Error compiling script", StringComparison.Ordinal));
        Check.True((await Message("return undefined_variable"))
            .Contains("undefined_variable", StringComparison.Ordinal));
        Check.Equal("caught", (string?)await RunAsync(db,
            "local r = redis.pcall('INCR', 'k'); return r.err and 'caught'"));
        Check.Equal("text", await db.StringGetAsync("k"));
    }

    private static async Task KeysAndArguments(IDatabase db)
    {
        byte[] raw = [0, 13, 10, 255];
        RedisResult result = await db.ScriptEvaluateAsync(
            "redis.call('SET', KEYS[2], ARGV[1]); return {#KEYS, #ARGV, KEYS[1], ARGV[2], ARGV[3]}",
            ["a", "b"], [raw, 12, 2.5]);
        Check.Equal(2, (int)result[0]);
        Check.Equal(3, (int)result[1]);
        Check.Equal("a", (string?)result[2]);
        Check.Equal("12", (string?)result[3]);
        Check.Equal("2.5", (string?)result[4]);
        Check.True(((byte[]?)await db.StringGetAsync("b")).AsSpan().SequenceEqual(raw));
        Check.Equal("seven", (string?)await db.Multiplexer.GetDatabase(7).ScriptEvaluateAsync(
            "redis.call('SET', KEYS[1], 'seven'); return redis.call('GET', KEYS[1])", ["k"]));
        Check.True(!await db.KeyExistsAsync("k"));
        Check.Equal(100, (int)await db.ScriptEvaluateAsync("return #KEYS",
            [.. Enumerable.Range(0, 100).Select(i => (RedisKey)$"k{i}")]));
    }

    private static async Task Prepared(IDatabase db)
    {
        LuaScript script = LuaScript.Prepare(
            "redis.call('SET', @key, @value); return redis.call('GET', @key) .. @suffix");
        var parameters = new { key = (RedisKey)"k", value = "v", suffix = 7 };
        Check.Equal("v7", (string?)await db.ScriptEvaluateAsync(script, parameters));
        Check.Equal("v7", (string?)await script.EvaluateAsync(db, parameters));
        Check.Equal("v", await db.StringGetAsync("k"));
    }

    private static async Task Loaded(IDatabase db)
    {
        IServer server = ServerOf(db);
        LuaScript script = LuaScript.Prepare("return redis.call('INCRBY', @key, @by)");
        LoadedLuaScript loaded = await script.LoadAsync(server);
        Check.True(await server.ScriptExistsAsync(loaded.Hash));
        var parameters = new { key = (RedisKey)"n", by = 2 };
        Check.Equal(2, (int)await loaded.EvaluateAsync(db, parameters));
        Check.Equal(4, (int)await db.ScriptEvaluateAsync(loaded, parameters));

        await server.ScriptFlushAsync();
        Check.True(!await server.ScriptExistsAsync(loaded.Hash));
        Check.Equal(6, (int)await db.ScriptEvaluateAsync(
            "return redis.call('INCRBY', KEYS[1], 2)", ["n"]));
        await server.ScriptFlushAsync();
        Check.Equal(8, (int)await db.ScriptEvaluateAsync(
            "return redis.call('INCRBY', KEYS[1], 2)", ["n"]));
    }

    private static async Task Hashes(IDatabase db)
    {
        IServer server = ServerOf(db);
        byte[] hash = await server.ScriptLoadAsync("return KEYS[1] .. ARGV[1]");
        Check.True(await server.ScriptExistsAsync(hash));
        Check.True(await server.ScriptExistsAsync("return KEYS[1] .. ARGV[1]"));
        Check.True(!await server.ScriptExistsAsync("return 'never loaded'"));
        Check.Equal("ab", (string?)await db.ScriptEvaluateAsync(hash, ["a"], ["b"]));
        await server.ScriptFlushAsync();
        var unknown = await Check.ThrowsAsync<RedisServerException>(
            () => db.ScriptEvaluateAsync(hash, ["a"], ["b"]));
        Check.True(unknown.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal));
    }

    private static async Task ReadOnly(IDatabase db)
    {
        await db.StringSetAsync("k", "v");
        Check.Equal("v", (string?)await db.ScriptEvaluateReadOnlyAsync(
            "return redis.call('GET', KEYS[1])", ["k"]));
        byte[] hash = await ServerOf(db).ScriptLoadAsync("return redis.call('STRLEN', KEYS[1])");
        Check.Equal(1, (int)await db.ScriptEvaluateReadOnlyAsync(hash, ["k"]));
        var refused = await Check.ThrowsAsync<RedisServerException>(() =>
            db.ExecuteAsync("EVAL_RO", "return redis.call('DEL', KEYS[1])", 1, (RedisKey)"k"));
        Check.True(refused.Message.StartsWith(
            "ERR Write commands are not allowed from read-only scripts", StringComparison.Ordinal));
        Check.True(await db.KeyExistsAsync("k"));
    }

    private async Task ManyCallers(IDatabase db)
    {
        const string Transfer = """
            local from, to = KEYS[1], KEYS[2]
            if tonumber(redis.call('GET', from)) < tonumber(ARGV[1]) then return 0 end
            redis.call('DECRBY', from, ARGV[1])
            redis.call('INCRBY', to, ARGV[1])
            return 1
            """;
        RedisKey[] accounts = [.. Enumerable.Range(0, 10).Select(i => (RedisKey)$"account{i}")];
        await db.StringSetAsync(
            [.. accounts.Select(key => KeyValuePair.Create(key, (RedisValue)100))]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async caller =>
        {
            await using ConnectionMultiplexer own = await ConnectAsync();
            var random = new Random(caller);
            await Task.WhenAll(Enumerable.Range(0, 250).Select(_ =>
            {
                int from = random.Next(10);
                int to = (from + 1 + random.Next(9)) % 10;
                return own.GetDatabase().ScriptEvaluateAsync(
                    Transfer, [accounts[from], accounts[to]], [random.Next(1, 50)]);
            }));
        }));
        int[] balances =
            [.. (await db.StringGetAsync(accounts)).Select(balance => (int)balance)];
        Check.Equal(1000, balances.Sum());
        Check.True(balances.All(balance => balance >= 0));
    }

    private static async Task Libraries(IDatabase db)
    {
        Check.Equal("""{"a":[1,"x",null]}""", (string?)await RunAsync(
            db, """return cjson.encode(cjson.decode('{"a" : [1, "x", null]}'))"""));
        Check.Equal("1:two", (string?)await RunAsync(
            db, "local a, b = unpack(cmsgpack.unpack(cmsgpack.pack({1, 'two'})));"
                + " return a .. ':' .. b"));
        Check.Equal(513, (int)await RunAsync(
            db, "return struct.unpack('<H', struct.pack('>H', 258))"));
        Check.Equal(6, (int)await RunAsync(db, "return bit.bxor(bit.lshift(1, 2), 2)"));
        Check.Equal("0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33", (string?)await RunAsync(
            db, "return redis.sha1hex('foo')"));
    }

    private static async Task OlderDistributedCache(IDatabase db)
    {
        const string Store = """
            redis.call('HMSET', KEYS[1], 'absexp', ARGV[1], 'sldexp', ARGV[2], 'data', ARGV[4])
            if ARGV[3] ~= '-1' then
              redis.call('EXPIRE', KEYS[1], ARGV[3])
            end
            return 1
            """;
        byte[] data = [0, 1, 2, 255];
        Check.Equal(1, (int)await db.ScriptEvaluateAsync(Store, ["k"], [-1, -1, -1, data]));
        Check.True(await db.KeyTimeToLiveAsync("k") is null);
        Check.Equal(1, (int)await db.ScriptEvaluateAsync(Store, ["k"], [99, 60, 60, data]));
        Check.True(await db.KeyTimeToLiveAsync("k") is { TotalSeconds: > 55 and <= 60 });
        RedisValue[] fields = await db.HashGetAsync("k", ["absexp", "sldexp", "data"]);
        Check.Equal(99, (int)fields[0]);
        Check.Equal(60, (int)fields[1]);
        Check.True(((byte[]?)fields[2]).AsSpan().SequenceEqual(data));
    }

    /// <summary>A lock with the time it was taken, the items, and the session's timeout.</summary>
    private static async Task ClassicSessionState(IDatabase db)
    {
        const string TakeAndRead = """
            local answer = {}
            local owner = ARGV[1]
            local locked = redis.call('SETNX', KEYS[1], ARGV[1]) == 0
            if locked then owner = redis.call('GET', KEYS[1])
            else redis.call('EXPIRE', KEYS[1], ARGV[2]) end
            answer[1] = owner
            answer[2] = redis.call('HGETALL', KEYS[2])
            answer[3] = redis.call('HGET', KEYS[3], 'SessionTimeout') or '-1'
            answer[4] = locked
            if redis.call('EXISTS', KEYS[2]) ~= 0 then redis.call('EXPIRE', KEYS[2], answer[3]) end
            return answer
            """;
        const string Write = """
            redis.call('HMSET', KEYS[2], unpack(ARGV, 3, #ARGV))
            redis.call('HMSET', KEYS[3], 'SessionTimeout', ARGV[2])
            redis.call('EXPIRE', KEYS[2], ARGV[2])
            redis.call('EXPIRE', KEYS[3], ARGV[2])
            if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
            return 1
            """;
        RedisKey[] keys = ["{app_1}_Lock", "{app_1}_Data", "{app_1}_Internal"];
        RedisResult fresh = await db.ScriptEvaluateAsync(TakeAndRead, keys, ["lock1", 110]);
        Check.Equal("lock1", (string?)fresh[0]);
        Check.Equal(0, fresh[1].Length);
        Check.Equal(-1, (int)fresh[2]);
        Check.True(fresh[3].IsNull); // Lua's false
        await db.ScriptEvaluateAsync(Write, keys, ["lock1", 1200, "name", "ann", "cart", "[7]"]);

        RedisResult second = await db.ScriptEvaluateAsync(TakeAndRead, keys, ["lock2", 110]);
        Check.Equal("lock2", (string?)second[0]);
        Check.Equal("[7]", (string?)second[1].ToDictionary()["cart"]);
        Check.Equal(1200, (int)second[2]);
        RedisResult third = await db.ScriptEvaluateAsync(TakeAndRead, keys, ["lock3", 110]);
        Check.Equal("lock2", (string?)third[0]);
        Check.Equal(1, (int)third[3]); // Lua's true
        Check.True(await db.KeyTimeToLiveAsync(keys[1]) is { TotalSeconds: > 1190 and <= 1200 });
    }
}
