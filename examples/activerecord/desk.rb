# A support desk through ActiveRecord, without the rest of Rails.
#
#     Desk.connect
#     ticket = Desk.acting(1) { Ticket.create!(title: "Printer on fire", description: "", creator_id: 2).reload }
#     puts ticket.ticket_number

require "active_record"
require "pg"

# What the desk's tables have in common. They lie in schema support whatever the search_path is, and their times are the
# desk's to keep: no created_at of the client's clock.
class DeskRecord < ActiveRecord::Base
  self.abstract_class = true
  self.table_name_prefix = "support."
  self.record_timestamps = false
end

class User < DeskRecord
  has_many :tickets, foreign_key: :creator_id
end

class Tag < DeskRecord
end

# A primary key of two columns: rows are read and deleted by their columns
class TicketTag < DeskRecord
  self.primary_key = nil
  belongs_to :ticket
  belongs_to :tag
end

class Ticket < DeskRecord
  self.locking_column = :version

  belongs_to :creator, class_name: "User"
  belongs_to :assignee, class_name: "User", optional: true
  # No dependent: the database cascades, and restore_ticket() brings back what went in the same statement
  has_many :comments
  has_many :ticket_tags
  has_many :tags, through: :ticket_tags

  UNSOLVED = %w[open in_progress pending on_hold].freeze
  scope :live, -> { where(deleted_at: nil) }
  scope :unsolved, -> { live.where(status: UNSOLVED) }

  # A page of unsolved tickets, newest first, with their people
  def self.page(before: nil, size: 50)
    tickets = unsolved.includes(:creator, :assignee).order(id: :desc).limit(size)
    before ? tickets.where("id < ?", before) : tickets
  end
end

# Its primary key is of two columns, of which the id alone names a row
class Comment < DeskRecord
  self.primary_key = :id
  belongs_to :ticket
  belongs_to :author, class_name: "User"
end

class AuditLog < DeskRecord
  self.table_name = "support.audit_log"
  # Ids are unique, and no index says so across the months
  self.primary_key = :id
end

module Desk
  # Behind pgbouncer in transaction mode no statement stays prepared
  def self.settings(**more)
    pooled = ENV.key?("DESK_POOLED")
    { adapter: "postgresql", database: ENV["PGDATABASE"], username: ENV["PGUSER"], host: ENV["PGHOST"],
      port: ENV["PGPORT"], schema_search_path: "public", prepared_statements: !pooled, **more }
  end

  def self.connect(**more)
    ActiveRecord::Base.establish_connection(settings(**more))
  end

  # One unit of work of a user: committed in the end, rolled back as one if anything fails
  def self.acting(user_id)
    ActiveRecord::Base.transaction do
      call("set_actor", user_id, true)
      yield
    end
  end

  # The answer of a function of the desk
  def self.call(function, *arguments)
    values = arguments.map { |argument| argument.is_a?(Array) ? PG::TextEncoder::Array.new.encode(argument) : argument }
    call = ["SELECT support.#{function}(#{values.map { '?' }.join(', ')})", *values]
    ActiveRecord::Base.connection.select_value(ActiveRecord::Base.sanitize_sql(call))
  end

  # SQLSTATE, message and hint of a StatementInvalid, as doc/errors.md lists them
  def self.refusal(error)
    result = error.cause.result
    [PG::PG_DIAG_SQLSTATE, PG::PG_DIAG_MESSAGE_PRIMARY, PG::PG_DIAG_MESSAGE_HINT].map { |field| result.error_field(field) }
  end
end
