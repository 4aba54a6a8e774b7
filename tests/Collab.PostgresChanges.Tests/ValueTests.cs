using System.Text.Json;

namespace Collab.PostgresChanges;

public sealed class ValueTests(LogicalPostgres postgres) : IClassFixture<LogicalPostgres>
{
    // A type, a value in SQL, and what it is in JSON.
    private static readonly (string Type, string Value, string Json)[] Values =
    [
        ("bool", "true", "true"),
        ("int4", "-2147483648", "-2147483648"),
        ("int8", "9223372036854775807", "9223372036854775807"),
        ("numeric", "12345678901234567890123456789.000000000000000000010", "12345678901234567890123456789.000000000000000000010"),
        ("numeric", "'NaN'", "\"NaN\""),
        ("float8", "'-Infinity'", "\"-Infinity\""),
        ("float8", "0.1", "0.1"),
        ("float8", "1e300", "1e+300"),
        ("float4", "-0.5", "-0.5"),
        ("text", "'a\"b\\c' || chr(10) || chr(7) || 'é😀'", "\"a\\\"b\\\\c\\n\\u0007é\\uD83D\\uDE00\""),
        ("text", "''", "\"\""),
        ("text", "NULL", "null"),
        ("uuid", "'00000000-0000-0000-0000-0000000000aB'", "\"00000000-0000-0000-0000-0000000000ab\""),
        ("date", "'2026-02-03'", "\"2026-02-03\""),
        ("timestamp", "'2026-02-03 04:05:06.789'", "\"2026-02-03T04:05:06.789\""),
        ("timestamptz", "'2026-02-03 04:05:06+02'", "\"2026-02-03T02:05:06Z\""),
        ("timestamptz", "'infinity'", "\"infinity\""),
        ("timestamp", "'0044-03-15 12:00:00 BC'", "\"0044-03-15 12:00:00 BC\""),
        ("interval", "'1 day 2 hours'", "\"P1DT2H\""),
        ("bytea", "'\\x00ff10'", "\"AP8Q\""),
        ("jsonb", "'{ \"a\": [1, null, {\"b\": \" c \"}] }'", "{\"a\":[1,null,{\"b\":\" c \"}]}"),
        ("json", "E'[1,\\n 2.50]'", "[1,2.50]"),
        ("json", "'\"\\ud800\"'", "\"\\\"\\\\ud800\\\"\""),
        ("json", "'{\"__proto__\": 1}'", "\"{\\\"__proto__\\\": 1}\""),
        ("jsonb", "repeat('[', 100) || repeat(']', 100)", "\"" + Deep + "\""),
        ("int4[]", "'{1,NULL,3}'", "[1,null,3]"),
        ("int4[]", "'{}'", "[]"),
        ("int4[]", "'[5:6]={1,2}'", "[1,2]"),
        ("text[]", "ARRAY[['a', 'NULL', NULL], ['', 'x,y', 'q\"\\{}']]", "[[\"a\",\"NULL\",null],[\"\",\"x,y\",\"q\\\"\\\\{}\"]]"),
        ("jsonb[]", "ARRAY['{\"a\": 1}'::jsonb]", "[{\"a\":1}]"),
        ("timestamptz[]", "ARRAY['2026-02-03 04:05:06Z'::timestamptz]", "[\"2026-02-03T04:05:06Z\"]"),
        ("box[]", "ARRAY['(1,1),(0,0)'::box, '(3,3),(2,2)'::box]", "[\"(1,1),(0,0)\",\"(3,3),(2,2)\"]"),
        ("int2vector", "'1 2'", "\"1 2\""),
        ("inet", "'10.0.0.1/8'", "\"10.0.0.1/8\""),
        ("mood", "'ok'", "\"ok\""),
        ("mood[]", "'{ok,bad}'", "[\"ok\",\"bad\"]"),
        ("positive", "5", "5"),
        ("positive[]", "ARRAY[5, 6]::positive[]", "[5,6]"),
        ("numbers", "'{7,8}'", "[7,8]"),
    ];

    // Deeper than a message may be.
    private static string Deep => new string('[', 100) + new string(']', 100);

    [Fact]
    public async Task A_value_keeps_its_type()
    {
        await using var followed = await Followed.CreateAsync(
            postgres.Server,
            $"""
            CREATE TYPE mood AS ENUM ('ok', 'bad');
            CREATE DOMAIN positive AS int4 CHECK (value > 0);
            CREATE DOMAIN numbers AS int4[];
            CREATE TABLE things (id int PRIMARY KEY, {string.Join(", ", Values.Select((value, i) => $"c{i} {value.Type}"))})
            """);
        var reader = followed.Read(await followed.StartAsync("public.things"), "public.things");

        await followed.RunAsync(string.Concat(
            Values.Select((value, i) => $"INSERT INTO things (id, c{i}) VALUES ({i}, ({value.Value})::{value.Type});")));

        var changes = await reader.TakeAsync(Values.Length);
        Assert.Equal(
            Values,
            Values.Select((value, i) => (value.Type, value.Value, changes[i].Data.GetProperty("record").GetProperty($"c{i}").GetRawText())));
    }
}
