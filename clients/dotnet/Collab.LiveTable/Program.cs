// A page with a live table of a Postgres table, beside a form that changes it:
//   dotnet run --project clients/dotnet/Collab.LiveTable -- --ConnectionStrings:Postgres="Host=localhost;Username=postgres;Database=postgres"
// The form and whoever else changes the table (psql, another program) only change the table; pages learn of it from its channel. Postgres must have
// wal_level=logical. The application signs everybody in: try it on your own machine.
using Collab.LiveTable;
using Collab.Server;
using Microsoft.AspNetCore.Authentication;
using Npgsql;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
var connectionString = builder.Configuration.GetConnectionString("Postgres")
    ?? throw new InvalidOperationException("Give ConnectionStrings:Postgres, such as Host=localhost;Username=postgres;Database=postgres.");
var tasks = new TaskTable(NpgsqlDataSource.Create(connectionString));
await tasks.CreateAsync();

builder.Services.AddAuthentication(EverybodyMayRead.Scheme)
    .AddScheme<AuthenticationSchemeOptions, EverybodyMayRead>(EverybodyMayRead.Scheme, configureOptions: null);
builder.Services.AddCollab()
    .AddSqliteStore()
    .AddPostgresChanges(changes => changes.Tables.Add(TaskTable.Name));

var app = builder.Build();
app.UseDefaultFiles();
app.UseStaticFiles();
app.UseAuthentication();
app.UseAuthorization();
app.MapCollab();
app.MapGet("/tasks", tasks.ReadAsync);
app.MapPost("/tasks", (NewTask task) => task.Title is { Length: > 0 and <= 200 } ? Accept(tasks.AddAsync(task.Title)) : Refuse());
app.MapPut("/tasks/{id:long}", (long id, ChangedTask task) => Accept(tasks.SetDoneAsync(id, task.Done)));
app.MapDelete("/tasks/{id:long}", (long id) => Accept(tasks.DeleteAsync(id)));
await app.RunAsync();

static async Task<IResult> Accept(Task change)
{
    await change;
    // What has changed comes over the channel, to this page as to all others.
    return Results.NoContent();
}

static Task<IResult> Refuse() => Task.FromResult(Results.BadRequest("A title has 1 to 200 characters."));
