# The desk of desk.rb, by the pg gem.

require "fileutils"
require "stringio"
require "tmpdir"

begin
  require_relative "desk"
  require "active_record/fixtures"
rescue LoadError => error
  puts "1..0 # SKIP Ruby has no #{error.path}"
  exit
end

ADA, CARL, GRACE, EMMY = 1, 2, 3, 4 # agent, customer, agent, customer
POOLED = ENV.key?("DESK_POOLED")
$stdout.sync = true

# A ticket that is written whole, with NULL for what was never read
class WholeTicket < DeskRecord
  self.table_name = "support.tickets"
  self.partial_writes = false
end

# A table of the application's own
class Note < ActiveRecord::Base
end

class DeskTest
  def initialize
    @count = @failed = 0
  end

  # Compare two values. The cell is the column of the tables in doc/clients.md that the check belongs to.
  def check(cell, what, got, expected)
    @count += 1
    return puts("ok #{@count} - #{cell}: #{what}") if got == expected

    @failed += 1
    puts "not ok #{@count} - #{cell}: #{what}", "#      got #{got.inspect}", "# expected #{expected.inspect}"
  end

  def run
    Desk.connect
    test_read(test_create)
    test_counts
    test_versions
    test_null
    test_conflict
    test_delete_and_restore
    test_bulk
    test_rollback
    test_errors
    test_time_zones
    test_owner unless POOLED
    puts "1..#{@count}"
    exit @failed.zero?
  end

  private

  def opened(title = "Printer on fire", **columns)
    Desk.acting(CARL) { Ticket.create!(title: title, description: "", creator_id: CARL, **columns).reload }
  end

  # How the desk refuses the block: SQLSTATE, message and hint
  def refused(&block)
    Desk.acting(ADA, &block)
    nil
  rescue ActiveRecord::StatementInvalid => error
    Desk.refusal(error)
  end

  # The statements that the block sends
  def statements
    sent = []
    subscriber = ActiveSupport::Notifications.subscribe("sql.active_record") { |*, event| sent << event[:sql] }
    yield
    sent
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber)
  end

  def log_of(ticket_id)
    AuditLog.where(ticket_id: ticket_id).order(:id).pluck(:table_name, :action, :actor_id)
  end

  # All columns of a ticket's row and of those that hang on it
  def rows_of(ticket_id)
    rows = %w[comments attachments ticket_tags].map { |table| "SELECT to_jsonb(t) FROM support.#{table} t WHERE ticket_id = #{ticket_id}" }
    ActiveRecord::Base.connection.select_values(
      ["SELECT to_jsonb(t) AS row FROM support.tickets t WHERE id = #{ticket_id}", *rows].join(" UNION ALL ") + " ORDER BY 1"
    )
  end

  def test_create
    ticket = opened(custom: { floor: 3, seen: [true, nil, "Grüße"] })
    check("create", "what is left out is filled in", [ticket.ticket_number, ticket.status, ticket.priority, ticket.version],
          ["T-#{ticket.id}", "open", "normal", 1])
    check("create", "the log knows who acted", log_of(ticket.id), [["tickets", "INSERT", CARL]])
    Desk.acting(ADA) do
      check("create", "a comment", ticket.comments.create!(author_id: ADA, content: "Pull the plug.").id.positive?, true)
      check("create", "tags", Desk.call("tag_ticket", ticket.id, ["printer", "spät"]), "{printer,spät}")
      key = Ticket.create!(title: "Whose key?", description: "", creator_id: CARL).id
      last = ActiveRecord::Base.connection.select_value("SELECT lastval()")
      check("key", "RETURNING tells the key, lastval() would have told another",
            [Ticket.find(key).title, last == key], ["Whose key?", false])
    end
    ticket.id
  end

  def test_read(id)
    ticket = Ticket.includes(:tags, comments: :author).find(id)
    check("read", "people, tags and comments by their relations",
          [ticket.creator.full_name, ticket.tags.map(&:name).sort, ticket.comments.map { |c| c.author.full_name }],
          ["Carl Friedrich", %w[printer spät], ["Ada Byron"]])
    check("read", "jsonb arrives as a hash, NULL as nil", [ticket.custom, ticket.assignee],
          [{ "floor" => 3, "seen" => [true, nil, "Grüße"] }, nil])
    first = Ticket.page(size: 1)
    check("read", "the list by pages", [first, Ticket.page(before: first[0].id, size: 1)].map { |page| page.map(&:title) },
          [["Whose key?"], ["Printer on fire"]])
    check("read", "groups", Ticket.live.group(:status).count, { "open" => 2 })
    check("read", "a function that returns a document",
          JSON.parse(Desk.call("get_ticket", id))["people"]["creator"]["email"], "carl@example.com")
  end

  def test_counts
    ticket = opened
    check("update count", "of rows that there were",
          Desk.acting(ADA) { Ticket.where(id: [ticket.id, 999_999]).update_all(status: "pending") }, 1)
    check("update count", "of none", Ticket.where(id: 999_999).update_all(status: "pending"), 0)
    changed = Desk.acting(ADA) { Ticket.lock.find(ticket.id).update!(priority: "high") }
    check("update count", "of an object that is locked", [changed, ticket.reload.priority], [true, "high"])
  end

  def test_versions
    ticket = opened
    stale = Ticket.find(ticket.id)
    Desk.acting(ADA) { ticket.update!(assignee_id: ADA) }
    check("version", "the mapper counts, and the desk comes to the same", [ticket.version, Ticket.find(ticket.id).version], [2, 2])
    Desk.acting(ADA) { ticket.update!(assignee_id: GRACE) }
    check("version", "again and again", [ticket.version, Ticket.find(ticket.id).version], [3, 3])
    check("version", "who read before is too late", stale_error { stale.update!(assignee_id: EMMY) }, true)
    Desk.acting(ADA) { ticket.comments.create!(author_id: ADA, content: "Moves the version") }
    check("version", "a comment moves it, too", stale_error { ticket.update!(status: "pending") }, true)
    check("version", "who reads again is not", Desk.acting(ADA) { ticket.reload.update!(status: "pending") }, true)
    check("version", "a removal asks for it", stale_error { stale.destroy! }, true)
  end

  def stale_error(&block)
    Desk.acting(ADA, &block)
    false
  rescue ActiveRecord::StaleObjectError
    true
  end

  def test_null
    ticket = Desk.acting(CARL) { WholeTicket.create!(title: "Whole", description: "", creator_id: CARL) }
    given = ticket.status
    number = WholeTicket.find(ticket.id).ticket_number
    Desk.acting(CARL) { ticket.update!(title: "Saved whole") }
    ticket.reload
    check("null", "NULL is sent for what the desk fills in", given, nil)
    check("null", "and leaves it as it is in an UPDATE", [ticket.title, ticket.status, ticket.ticket_number, ticket.version],
          ["Saved whole", "open", number, 2])
  end

  def test_conflict
    rows = %w[first second].map { |title| [{ title: title, description: "", creator_id: CARL, external_id: "mail-1" }] }
    ids = Desk.acting(ADA) { rows.map { |row| Ticket.upsert_all(row, unique_by: :external_id).first["id"] } }
    check("conflict", "upsert_all() by external_id changes the row there is", [ids.uniq.size, Ticket.find(ids[0]).title],
          [1, "second"])
    check("conflict", "logged as what it was", log_of(ids[0]).map { |entry| entry[1] }, %w[INSERT UPDATE])
    check("conflict", "insert_all() leaves it", Ticket.insert_all(rows[0], unique_by: :external_id).to_a, [])
    check("conflict", "an e-mail address finds its user", User.upsert_all(
      [{ email: "carl@example.com", full_name: "Carl F." }], unique_by: :email
    ).first["id"], CARL)
  end

  def test_delete_and_restore
    ticket = opened
    Desk.acting(ADA) do
      ticket.comments.create!(author_id: ADA, content: "Have you tried water?")
      Desk.call("tag_ticket", ticket.id, ["fire"])
    end
    before = rows_of(ticket.id)
    check("delete count", "of rows that there were, and of none",
          Array.new(2) { Desk.acting(ADA) { Ticket.where(id: [ticket.id, 999_999]).delete_all } }, [1, 0])
    check("restore", "nothing is left", [before.size, rows_of(ticket.id)], [3, []])
    Desk.acting(ADA) { Desk.call("restore_ticket", ticket.id) }
    check("restore", "all that hung on it is back, as it was", rows_of(ticket.id), before)
    Desk.acting(ADA) { Ticket.find(ticket.id).update!(deleted_at: Time.now) }
    check("delete count", "a marked ticket is not listed", Ticket.page.map(&:id).include?(ticket.id), false)
    Desk.acting(ADA) { Desk.call("restore_ticket", ticket.id) }
    check("restore", "a marked one is listed again", Ticket.page.map(&:id).include?(ticket.id), true)
  end

  def test_bulk
    start = Time.utc(2024, 2, 29, 23, 30)
    rows = Array.new(1000) do |n|
      { title: "Imported #{n}", description: "\"quoted\", {braced}\nand \\", creator_id: CARL, created_at: start + n, custom: { n: n } }
    end
    ids = Desk.acting(ADA) { Ticket.insert_all!(rows).rows.flatten }
    check("bulk", "each has its key", ids.uniq.size, 1000)
    check("bulk", "one entry of the log each", AuditLog.where(ticket_id: ids, action: "INSERT", actor_id: ADA).count, 1000)
    check("bulk", "read in batches", Ticket.where(id: ids).find_each(batch_size: 300).count, 1000)
    check("bulk", "one that is refused",
          refused { Ticket.insert_all!([rows[0].merge(title: "Imported too", priority: "low"), rows[1].merge(priority: "hgih")]) }[0],
          "23503")
    check("bulk", "takes all with it", Ticket.exists?(title: "Imported too"), false)
  end

  def test_rollback
    entries = AuditLog.count
    Desk.acting(ADA) do
      Ticket.create!(title: "Never was", description: "", creator_id: CARL)
      raise ActiveRecord::Rollback
    end
    check("rollback", "no ticket and no log", [Ticket.exists?(title: "Never was"), AuditLog.count], [false, entries])
    check("rollback", "nobody acts any more", Desk.call("actor_id"), nil)
    Desk.acting(ADA) do
      good = Ticket.create!(title: "Good", description: "", creator_id: CARL)
      begin
        Ticket.transaction(requires_new: true) { Ticket.create!(title: "Bad", description: "", creator_id: CARL, priority: "hgih") }
      rescue ActiveRecord::InvalidForeignKey
        good.comments.create!(author_id: ADA, content: "Still here.")
      end
    end
    check("rollback", "to a savepoint, for the one that is refused",
          [Ticket.exists?(title: "Bad"), Ticket.find_by(title: "Good").comments.count], [false, 1])
  end

  def test_errors
    check("errors", "an unknown priority", refused { Ticket.create!(title: "x", description: "", creator_id: CARL, priority: "hgih") },
          ["23503", 'priority "hgih" does not exist', "The priorities are: low, normal, high, urgent."])
    check("errors", "an unknown ticket", refused { Desk.call("get_ticket", 999_999) }[0, 2], ["P0002", "ticket 999999 does not exist"])
    check("errors", "a stale version", refused { Desk.call("set_status", opened.id, "pending", 7) }[0], "SU001")
    check("errors", "the connection works on", Desk.call("version") > "0", true)
  end

  def test_time_zones
    instant = Time.new(2026, 3, 1, 23, 30, Rational(1, 4), "-03:30")
    ticket = opened(created_at: instant)
    check("time zones", "an instant is the same instant", ticket.created_at, instant)
    %w[Asia/Kathmandu America/St_Johns].each do |zone|
      read = Ticket.transaction do
        ActiveRecord::Base.connection.execute("SET LOCAL TimeZone = '#{zone}'")
        [Ticket.find(ticket.id).created_at, Ticket.exists?(created_at: instant)]
      end
      check("time zones", "it is read so in #{zone}, but what is sent is UTC without saying so", read, [instant, false])
    end
    ENV["TZ"] = "Asia/Kathmandu"
    check("time zones", "and wherever the program runs", Ticket.find(ticket.id).created_at, instant)
  end

  # What the owner does: schema files, fixtures, test databases
  def test_owner
    Dir.mktmpdir do |directory|
      test_schema_rb(directory)
      test_structure_sql("#{directory}/structure.sql")
      test_fixtures(directory)
    end
    test_database_from_template
  end

  def as_owner(**more)
    Desk.connect(username: ENV["DESK_OWNER"], **more)
    yield ActiveRecord::Base.connection
  ensure
    Desk.connect
  end

  def schema_rb
    out = StringIO.new
    ActiveRecord::SchemaDumper.dump(ActiveRecord::Base.connection, out)
    out.string
  end

  # How many tables loading the file drops, and what it ends with; all is rolled back
  def dropped_by(file)
    outcome = nil
    sent = statements do
      ActiveRecord::Base.transaction do
        ActiveRecord::Schema.verbose = false
        load(file)
        raise ActiveRecord::Rollback
      end
    rescue StandardError => error
      outcome = error.class
    end
    [sent.grep(/\ADROP TABLE/).size, outcome]
  end

  def test_schema_rb(directory)
    owns = as_owner(schema_search_path: "public") do |connection|
      connection.create_table(:notes) { |t| t.bigint :ticket_id }
      connection.add_foreign_key :notes, "support.tickets", column: :ticket_id
      schema_rb
    end
    check("schema", "schema.rb over the path public has what is the application's, and the extension",
          [owns.scan(/create_table "(\w+)"/).flatten, owns.include?('enable_extension "support_ext"')], [["notes"], true])
    file = "#{directory}/schema.rb"
    tickets = Ticket.count
    as_owner(schema_search_path: "support, public") do
      # Ruby's message about an index that ActiveRecord cannot read is no comment to its end
      File.write(file, schema_rb.gsub(/^# Could not dump.*?(?=^  create_table)/m, ""))
      check("schema", "over the path support it would make the desk's tables anew",
            File.read(file).scan(/create_table "(users|tickets)".* force: :cascade do/), [["tickets"], ["users"]])
      dropped, outcome = dropped_by(file)
      check("schema", "loaded by the owner, it drops tables before it fails", [dropped > 1, outcome],
            [true, ActiveRecord::StatementInvalid])
    end
    Desk.connect(schema_search_path: "support, public")
    check("schema", "the application cannot", dropped_by(file)[1], ActiveRecord::StatementInvalid)
    Desk.connect
    check("schema", "nothing was lost", Ticket.count, tickets)
  end

  def test_structure_sql(file)
    config = config_of("owner", database: ENV["PGDATABASE"], schema_search_path: nil)
    ActiveRecord::Tasks::PostgreSQLDatabaseTasks.new(config).structure_dump(file, nil)
    copy = "#{ENV['PGDATABASE']}_structure"
    as_owner { |connection| connection.create_database(copy) }
    ActiveRecord::Tasks::PostgreSQLDatabaseTasks.new(config_of("copy", database: copy)).structure_load(file, ["--output=/dev/null"])
    as_owner(database: copy) do |connection|
      check("schema", "structure.sql brings the tables without a row", connection.select_value("SELECT count(*) FROM support.statuses"), 0)
      connection.execute("SELECT support.install()")
      Desk.call("create_user", "c@example.com", "Carl")
      check("schema", "install() brings the statuses, and the desk works", Desk.call("create_ticket", "First", "", 1), 1)
    end
  end

  def config_of(name, **more)
    settings = Desk.settings(username: ENV["DESK_OWNER"], **more)
    ActiveRecord::DatabaseConfigurations::HashConfig.new("test", name, settings)
  end

  # Fixtures delete all rows, then insert: in this order, on a desk without tickets
  def test_fixtures(directory)
    FileUtils.mkdir_p("#{directory}/fixtures/support")
    File.write("#{directory}/fixtures/support/users.yml", "dora:\n  email: dora@example.com\n  full_name: Dora\n")
    Ticket.delete_all
    last = AuditLog.maximum(:id)
    check("fixtures", "the application loads them", fixtures(directory), nil)
    check("fixtures", "by the triggers: the log has them",
          AuditLog.where("id > ?", last).where(table_name: "users").distinct.order(:action).pluck(:action), %w[DELETE INSERT])
    check("fixtures", "a label names its row", User.find(ActiveRecord::FixtureSet.identify(:dora)).full_name, "Dora")
    check("fixtures", "the next key is a new one", Desk.call("create_user", "eve@example.com", "Eve").positive?, true)
  end

  def fixtures(directory)
    ActiveRecord::FixtureSet.reset_cache
    ActiveRecord::FixtureSet.create_fixtures("#{directory}/fixtures", ["support/users"], { "support/users" => User })
    nil
  rescue ActiveRecord::StatementInvalid => error
    Desk.refusal(error)[0]
  end

  def test_database_from_template
    template, copy = %w[template test].map { |name| "#{ENV['PGDATABASE']}_#{name}" }
    as_owner { |connection| connection.create_database(template) }
    as_owner(database: template) { |connection| connection.enable_extension("support_ext") }
    ActiveRecord::Base.remove_connection
    ActiveRecord::Tasks::PostgreSQLDatabaseTasks.new(config_of("test", database: copy, template: template)).create
    as_owner(database: copy) do
      check("tests", "a test database is a copy of a template with a desk", [Ticket.count, Desk.call("actor_id")], [0, nil])
    end
  end
end

DeskTest.new.run
